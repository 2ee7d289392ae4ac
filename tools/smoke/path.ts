import { randomInt } from "node:crypto";
import { queryGrafana } from "../grafana-query.ts";
import { explainExposition } from "./bad-groups.ts";
import { until } from "./until.ts";
import type { Way } from "./ways.ts";

/** The ways to the three parts, open. */
export interface Ways {
  gateway: Way;
  prometheus: Way;
  grafana: Way;
}

/** A job of its own: no run of CI is touched, and no dashboard or alert looks at it. */
const JOB = "smoke";
const METRIC = "k8sfv_smoke_mark";
const GROUP = `/metrics/job/${JOB}`;
const QUERY = `${METRIC}{job="${JOB}"}`;

/** Six scrapes. */
const SCRAPE_WAIT_MS = 60_000;
/** The gateway takes a deletion in at once; a second is for its queue. */
const DELETE_WAIT_MS = 10_000;

/**
 * A number that marks this run: always the same one series, since each new one would be kept for five
 * years. Two smoke tests at the same time disturb each other.
 */
export function newMark(): number {
  return randomInt(1, 2 ** 47);
}

/** Pushes the mark. @throws Error with the gateway's answer */
export async function push({ gateway }: Ways, mark: number): Promise<void> {
  const help = `# HELP ${METRIC} A number that npm run smoke looks for.\n# TYPE ${METRIC} gauge\n`;
  const answer = await gateway.ask(GROUP, { method: "PUT", body: `${help}${METRIC} ${mark}\n` });
  if (!answer.ok) {
    const why = (await explainExposition(gateway)) ?? firstLine(answer.text);
    throw new Error(`it refused the push with ${answer.status}: ${why}`);
  }
}

/** Waits until Prometheus has the mark. @throws Error that says what it thinks of the scrape */
export async function seeScraped(ways: Ways, mark: number, stopped: AbortSignal): Promise<void> {
  const path = `/api/v1/query?query=${encodeURIComponent(QUERY)}`;
  const seen = await until(SCRAPE_WAIT_MS, stopped, async () => {
    const answer = await ways.prometheus.ask(path);
    if (!answer.ok) throw new Error(`it refused a query with ${answer.status}: ${firstLine(answer.text)}`);
    const { data } = JSON.parse(answer.text) as { data: { result: { value: [number, string] }[] } };
    return data.result.some(({ value }) => Number(value[1]) === mark);
  });
  if (!seen) {
    const why = await explainScrape(ways, mark);
    throw new Error(`it has not got the sample within ${SCRAPE_WAIT_MS / 1000} s: ${why}`);
  }
}

async function explainScrape({ gateway, prometheus }: Ways, mark: number): Promise<string> {
  const broken = await explainExposition(gateway);
  if (broken !== undefined) return broken;
  const page = await gateway.ask("/metrics");
  if (!page.text.includes(METRIC)) return "the push gateway does not show it any more; was it wiped?";
  const answer = await prometheus.ask("/api/v1/targets?state=active");
  const { data } = JSON.parse(answer.text) as {
    data: { activeTargets: { scrapePool: string; health: string; lastError: string; scrapeUrl: string }[] };
  };
  // The operator names a scrape after the ServiceMonitor, which has the Service's name, and its first endpoint 0.
  const target = data.activeTargets.find(({ scrapePool }) => scrapePool.endsWith("/prom-gateway/0"));
  if (target === undefined) return "it has no target prom-gateway; look at the ServiceMonitor of that name";
  if (target.health !== "up") return `its scrape of ${target.scrapeUrl} fails: ${target.lastError}`;
  return `its scrapes of ${target.scrapeUrl} go well, yet ${QUERY} is not ${mark}; is another smoke test going on?`;
}

/** Asks Grafana's data source for the mark, as a panel does. @throws Error with its answer */
export async function readThroughGrafana(
  { grafana }: Ways,
  outputs: Record<string, unknown>,
  mark: number,
): Promise<void> {
  const found = await queryGrafana(grafana.url, outputs, QUERY);
  if (!found.includes(mark)) {
    throw new Error(
      `its data source my-prom answers ${JSON.stringify(found)} and Prometheus ${mark}: ` +
        "does the data source lead to another Prometheus?",
    );
  }
}

/** Deletes what was pushed. @throws Error when it is still shown */
export async function remove({ gateway }: Ways): Promise<void> {
  const answer = await gateway.ask(GROUP, { method: "DELETE" });
  if (!answer.ok) throw new Error(`it refused the deletion with ${answer.status}: ${firstLine(answer.text)}`);
  const gone = await until(
    DELETE_WAIT_MS,
    undefined,
    async () => !(await gateway.ask("/metrics")).text.includes(METRIC),
  );
  if (!gone) throw new Error(`it still shows ${METRIC} after its deletion`);
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}
