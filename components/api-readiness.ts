import { setTimeout as sleep } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";

/** Default timeout in ms. Google's own error message says that an API is usable after "a few minutes". */
const TIMEOUT_MS = 10 * 60_000;
/** First pause between requests in ms. It doubles with each request, up to MAX_PAUSE_MS. */
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 15_000;

/** Matches Google's errors for an API that is not enabled, or was enabled only minutes ago. */
const NOT_ENABLED = /accessNotConfigured|SERVICE_DISABLED|has not been used in project/;

/**
 * Waits until an API is enabled: a request to it succeeds, or fails with any other error than "not enabled".
 *
 * @param api - name, e.g. "compute.googleapis.com"
 * @param probe - sends a request to the API
 * @throws Error with the last response, after `timeoutMs`. Default: 10 minutes
 */
export async function waitUntilEnabled(
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
    if (!NOT_ENABLED.test(refusal)) return;
    if (Date.now() + pauseMs > deadline) {
      const waited = `${Math.round(timeoutMs / 60_000)} minutes`;
      throw new Error(`${api} is enabled but still rejects requests after ${waited}: ${refusal}`);
    }
    if (pauseMs === FIRST_PAUSE_MS) void pulumi.log.info(`Waiting until ${api} accepts requests`);
    await sleep(pauseMs);
  }
}
