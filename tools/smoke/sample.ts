import { randomInt } from "node:crypto";
import { queryGrafana } from "../../lib/grafana.ts";
import { explainExposition } from "./bad-groups.ts";
import { until } from "./until.ts";
import type { Connection } from "./connections.ts";

/** Connections to the components that the sample passes through. */
export interface Connections {
  gateway: Connection;
  prometheus: Connection;
  grafana: Connection;
}

/** A separate job, so that CI runs, dashboards and alerts are not affected. */
const JOB = "smoke";
const METRIC = "k8sfv_smoke_mark";
const GROUP = `/metrics/job/${JOB}`;
/** PromQL of the sample's series. */
export const SAMPLE_QUERY = `${METRIC}{job="${JOB}"}`;

/** Timeout in milliseconds until Prometheus has scraped the sample: six scrape intervals. */
const SCRAPE_WAIT_MS = 60_000;
/**
 * Timeout in milliseconds for deleting the sample. The Pushgateway processes a deletion as soon as it has processed the pushes in its
 * queue.
 */
const DELETE_WAIT_MS = 10_000;

/**
 * Returns a value that identifies this run. All smoke tests use the same series, because each new series would be kept
 * for five years. Concurrent smoke tests therefore disturb each other.
 */
export function newSampleValue(): number {
  return randomInt(1, 2 ** 47);
}

/** Pushes the value. @throws Error with the Pushgateway's response */
export async function push({ gateway }: Connections, sampleValue: number): Promise<void> {
  const help = `# HELP ${METRIC} A number that npm run smoke looks for.\n# TYPE ${METRIC} gauge\n`;
  const response = await gateway.request(GROUP, { method: "PUT", body: `${help}${METRIC} ${sampleValue}\n` });
  if (!response.ok) {
    const why = (await explainExposition(gateway)) ?? firstLine(response.text);
    throw new Error(`it rejected the push with ${response.status}: ${why}`);
  }
}

/** Waits until Prometheus has scraped the value. @throws Error with the state of the scrape target */
export async function waitForScrape(
  connections: Connections,
  sampleValue: number,
  stopped: AbortSignal,
): Promise<void> {
  const path = `/api/v1/query?query=${encodeURIComponent(SAMPLE_QUERY)}`;
  const seen = await until(SCRAPE_WAIT_MS, stopped, async () => {
    const response = await connections.prometheus.request(path);
    if (!response.ok)
      throw new Error(`it rejected a query with ${response.status}: ${firstLine(response.text)}`);
    const { data } = JSON.parse(response.text) as { data: { result: { value: [number, string] }[] } };
    return data.result.some(({ value }) => Number(value[1]) === sampleValue);
  });
  if (!seen) {
    const why = await explainScrape(connections, sampleValue);
    throw new Error(`it has not scraped the sample within ${SCRAPE_WAIT_MS / 1000} s: ${why}`);
  }
}

async function explainScrape({ gateway, prometheus }: Connections, sampleValue: number): Promise<string> {
  const broken = await explainExposition(gateway);
  if (broken !== undefined) return broken;
  const page = await gateway.request("/metrics");
  if (!page.text.includes(METRIC))
    return "the Pushgateway does not show it any more: check whether its data was deleted";
  const response = await prometheus.request("/api/v1/targets?state=active");
  const { data } = JSON.parse(response.text) as {
    data: { activeTargets: { scrapePool: string; health: string; lastError: string; scrapeUrl: string }[] };
  };
  // The name of a scrape pool ends with the ServiceMonitor's name and the endpoint's index. The ServiceMonitor has the
  // same name as the Service.
  const target = data.activeTargets.find(({ scrapePool }) => scrapePool.endsWith("/prom-gateway/0"));
  if (target === undefined) return "it has no target prom-gateway: check the ServiceMonitor with that name";
  if (target.health !== "up") return `its scrape of ${target.scrapeUrl} fails: ${target.lastError}`;
  return `its scrapes of ${target.scrapeUrl} succeed, but ${SAMPLE_QUERY} is not ${sampleValue}: check whether another smoke test is running`;
}

/** Checks that Grafana's data source returns the sample. @throws Error with the values that it returns instead */
export async function readThroughGrafana(
  { grafana }: Connections,
  outputs: Record<string, unknown>,
  sampleValue: number,
): Promise<void> {
  const found = await queryGrafana(grafana.url, outputs, SAMPLE_QUERY);
  if (!found.includes(sampleValue)) {
    throw new Error(
      `its data source my-prom returns ${JSON.stringify(found)} and Prometheus ${sampleValue}: ` +
        "check whether the data source uses another Prometheus",
    );
  }
}

/** Deletes the pushed group. @throws Error if it is still visible */
export async function remove({ gateway }: Connections): Promise<void> {
  const response = await gateway.request(GROUP, { method: "DELETE" });
  if (!response.ok)
    throw new Error(`it rejected the deletion with ${response.status}: ${firstLine(response.text)}`);
  const gone = await until(
    DELETE_WAIT_MS,
    undefined,
    async () => !(await gateway.request("/metrics")).text.includes(METRIC),
  );
  if (!gone) throw new Error(`it still shows ${METRIC} after its deletion`);
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}
