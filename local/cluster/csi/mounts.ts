/** Mounts and unmounts where a node's kubelet sees it. */
export interface Mounts {
  /**
   * Mounts the folder `source` at `target`, which is made when absent. When it is mounted there already,
   * nothing is done.
   */
  mount(source: string, target: string, options: { readOnly: boolean }): Promise<void>;
  /** Unmounts and removes `target`. Not being mounted, or not there, is no error. */
  unmount(target: string): Promise<void>;
}

/**
 * Mounts where a machine sees it, with the system's own commands.
 *
 * @param run runs a command in the machine, in its process namespace too: its /proc knows no process of
 * another one, and without /proc/self/mountinfo nothing looks mounted
 */
export function mountsOf(run: (command: string[]) => Promise<unknown>): Mounts {
  const inside = (...command: string[]): Promise<unknown> => run(command);
  const succeeds = async (...command: string[]): Promise<boolean> =>
    inside(...command).then(
      () => true,
      () => false,
    );
  return {
    async mount(source, target, { readOnly }) {
      await inside("mkdir", "--parents", target);
      if (await succeeds("mountpoint", "--quiet", target)) return;
      await inside("mount", "--bind", source, target);
      if (readOnly) await inside("mount", "--options", "remount,bind,ro", target);
    },
    async unmount(target) {
      if (!(await succeeds("test", "-e", target))) return;
      if (await succeeds("mountpoint", "--quiet", target)) await inside("umount", target);
      await inside("rmdir", target);
    },
  };
}
