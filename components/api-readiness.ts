import { setTimeout as sleep } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";

/** Longest time that Google takes to make an API usable, in ms: "a few minutes", says its own error message. */
const TIMEOUT_MS = 10 * 60_000;
/** First pause between requests in ms; it doubles with each, up to the longest. */
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 15_000;

/** How Google refuses requests to an API that is off, or was switched on minutes ago. */
const NOT_SWITCHED_ON = /accessNotConfigured|SERVICE_DISABLED|has not been used in project/;

/**
 * Waits until an API no longer answers that it is not switched on. Any other answer means that it is.
 *
 * @param api - its name, e.g. "compute.googleapis.com"
 * @param probe - a request to it
 * @throws Error after 10 minutes, with the last answer
 */
export async function untilSwitchedOn(
  api: string,
  probe: () => Promise<unknown>,
  timeoutMs = TIMEOUT_MS,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    const refusal = await probe().then(
      () => "",
      (error: unknown) => String(error),
    );
    if (!NOT_SWITCHED_ON.test(refusal)) return;
    if (Date.now() + pauseMs > deadline) {
      const waited = `${Math.round(timeoutMs / 60_000)} minutes`;
      throw new Error(`${api} is switched on, and still refuses requests after ${waited}: ${refusal}`);
    }
    if (pauseMs === FIRST_PAUSE_MS) void pulumi.log.info(`Waiting until Google has switched on ${api}`);
    await sleep(pauseMs);
  }
}
