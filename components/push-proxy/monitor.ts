/** Checks periodically that the Pushgateway's /metrics page is complete and valid. An alert uses the result. */
import { PageChecker } from "./exposition.ts";
import { readExposition } from "./gateway.ts";
import { counters } from "./metrics.ts";

const INTERVAL_MS = 30_000;

let timer: NodeJS.Timeout | undefined;

/** Checks the Pushgateway's /metrics page now, and again 30 s after the end of each check. */
export function monitorExposition(): void {
  clearTimeout(timer);
  void check().finally(() => {
    timer = setTimeout(monitorExposition, INTERVAL_MS).unref();
  });
}

async function check(): Promise<void> {
  const wasValid = counters.expositionValid;
  try {
    const checker = new PageChecker();
    const { status, rest } = await readExposition((line) => {
      checker.line(line);
    });
    if (status !== 200) throw new Error(`the Pushgateway responded with ${status}`);
    checker.end(rest);
    counters.expositionValid = true;
  } catch (error) {
    counters.expositionValid = false;
    if (wasValid !== false) console.error(`/metrics of the Pushgateway is not valid: ${String(error)}`);
  }
}
