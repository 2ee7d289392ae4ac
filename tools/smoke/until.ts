import { setTimeout as sleep } from "node:timers/promises";

const RETRY_MS = 250;

/**
 * Calls `done` until it returns true.
 *
 * @param ms timeout in milliseconds
 * @param stopped aborts the wait
 * @returns false after the timeout
 * @throws the error of `done`, or the reason of `stopped`
 */
export async function until(
  ms: number,
  stopped: AbortSignal | undefined,
  done: () => Promise<boolean>,
): Promise<boolean> {
  const deadline = Date.now() + ms;
  for (;;) {
    if (await done()) return true;
    if (Date.now() >= deadline) return false;
    await sleep(RETRY_MS, undefined, { signal: stopped });
  }
}
