// @ts-check

/**
 * Room for so many bytes. Who finds none waits in turn; who finds all of it free gets in, however large.
 *
 * @param {number} most
 */
export function makeRoom(most) {
  let taken = 0;
  /** @type {{ size: number, enter: (value: void) => void }[]} */
  const queue = [];

  function letIn() {
    while (queue[0] !== undefined && (taken === 0 || taken + queue[0].size <= most)) {
      taken += queue[0].size;
      queue.shift()?.enter();
    }
  }

  /** @param {number} size */
  function leave(size) {
    taken -= size;
    letIn();
  }

  /**
   * Resolves when there is room, which is then taken.
   *
   * @param {number} size
   * @returns {Promise<void>}
   */
  async function enter(size) {
    return new Promise((enter) => {
      queue.push({ size, enter });
      letIn();
    });
  }

  return { enter, leave };
}
