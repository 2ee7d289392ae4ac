/** Reads the bodies of pushes with limits on memory and time. */
import type { IncomingMessage } from "node:http";
import { ByteBudget } from "./byte-budget.ts";
import { MIN_UPLOAD_BYTES_PER_SECOND, UPLOAD_GRACE_SECONDS } from "./limits.ts";
import { MAX_PUSH_BYTES } from "./settings.ts";

/**
 * Maximum bytes of a push that needs no part of the budget below. A nightly run of k8sfv pushes 50 kB, so the run's
 * push never waits for large or slow uploads of other clients.
 */
export const SMALL_PUSH_BYTES = 128 * 2 ** 10;
/**
 * Maximum number of pushes larger than SMALL_PUSH_BYTES that are in memory at once. Each one reserves the maximum size
 * of a push.
 */
const LARGE_PUSHES = 8;
/**
 * Maximum bytes of an oversized body that are read and discarded. Many clients read the response only after they have
 * sent the whole body.
 */
const MAX_DISCARDED_BYTES = 64 * 2 ** 20;

const budget = new ByteBudget(LARGE_PUSHES * MAX_PUSH_BYTES);

/** Memory that is reserved for a push until it is stored or rejected. */
export class Reservation {
  private isLarge = false;

  /** Waits until there is budget for a large push. */
  async grow(): Promise<void> {
    if (this.isLarge) return;
    await budget.acquire(MAX_PUSH_BYTES);
    this.isLarge = true;
  }

  /** Reserves memory for a push of this size without waiting. @returns false if the budget is exhausted */
  tryHold(bytes: number): boolean {
    if (!this.isLarge && bytes > SMALL_PUSH_BYTES) this.isLarge = budget.tryAcquire(MAX_PUSH_BYTES);
    return this.isLarge || bytes <= SMALL_PUSH_BYTES;
  }

  release(): void {
    if (this.isLarge) budget.release(MAX_PUSH_BYTES);
    this.isLarge = false;
  }
}

/**
 * Reads a body.
 *
 * @param maxBytes - maximum bytes; a larger body is discarded
 * @returns the body, or the response's status: 413 (too large), 408 (too slow)
 * @throws Error if the client closes the connection
 */
export async function readBody(
  incoming: IncomingMessage,
  reservation: Reservation,
  maxBytes: number,
): Promise<Buffer | 408 | 413> {
  const body = incoming[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const chunks: Buffer[] = [];
  let length = 0;
  let deadline = Date.now() + UPLOAD_GRACE_SECONDS * 1000;
  for (;;) {
    const next = await before(deadline, body.next());
    if (next === undefined) return 408;
    if (next.done === true) return length > maxBytes ? 413 : Buffer.concat(chunks);
    length += next.value.length;
    deadline += (next.value.length / MIN_UPLOAD_BYTES_PER_SECOND) * 1000;
    if (length > maxBytes) {
      reservation.release();
      chunks.length = 0;
      if (length > MAX_DISCARDED_BYTES) return 413;
      continue;
    }
    chunks.push(next.value);
    if (length > SMALL_PUSH_BYTES) {
      const asked = Date.now();
      await reservation.grow();
      // The wait for budget must not count as upload time.
      deadline += Date.now() - asked;
    }
  }
}

/** Waits for a result until a deadline. @returns undefined if there is no result by then; a later error is ignored */
async function before<T>(deadline: number, result: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, deadline - Date.now(), undefined);
  });
  return Promise.race([result, late]).finally(() => {
    clearTimeout(timer);
  });
}
