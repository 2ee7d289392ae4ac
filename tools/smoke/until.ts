import { setTimeout as sleep } from "node:timers/promises";

const RETRY_MS = 250;

/**
 * Calls `done` until it returns true.
 *
 * @returns whether it did within `ms`
 * @throws what `done` throws, and the reason of `stopped` when that is aborted
 */
export async function until(
  ms: number,
  stopped: AbortSignal | undefined,
  done: () => Promise<boolean>,
): Promise<boolean> {
  const deadline = Date.now() + ms;
  for (;;) {
    if (await done()) return true;
    if (Date.now() > deadline) return false;
    await sleep(RETRY_MS, undefined, { signal: stopped });
  }
}
