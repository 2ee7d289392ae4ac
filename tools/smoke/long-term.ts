import { until } from "./until.ts";
import type { Connection } from "./connections.ts";

/** Timeout in milliseconds: Prometheus sends samples after at most 5 s, and a store may show them a minute later. */
const TIMEOUT_MS = 120_000;

/**
 * Returns the base URL of the long-term store, or undefined if Grafana's data source `my-prom` is Prometheus itself.
 *
 * @param prometheusHost - Prometheus's host in the cluster, e.g. "prometheus.monitoring"
 * @throws Error with Grafana's response
 */
export async function longTermStore(
  grafana: Connection,
  prometheusHost: string,
): Promise<string | undefined> {
  const response = await grafana.request("/api/datasources/uid/my-prom");
  if (!response.ok) throw new Error(`it has no data source my-prom (${response.status}): run pulumi up`);
  const { url } = JSON.parse(response.text) as { url: string };
  return new URL(url).hostname === prometheusHost ? undefined : url;
}

/**
 * Waits until the long-term store returns the sample.
 *
 * @param read - queries the store through Grafana
 * @throws Error with the last values or response, and with the state of Prometheus's remote write
 */
export async function waitForStore(
  prometheus: Connection,
  read: () => Promise<number[]>,
  sampleValue: number,
  stopped: AbortSignal,
  timeoutMs = TIMEOUT_MS,
): Promise<void> {
  let last = "";
  const found = await until(timeoutMs, stopped, async () => {
    try {
      const values = await read();
      last = `it returns ${JSON.stringify(values)}`;
      return values.includes(sampleValue);
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
      return false;
    }
  });
  if (found) return;
  const why = await explainRemoteWrite(prometheus);
  throw new Error(`it has not returned ${sampleValue} within ${timeoutMs / 1000} s: ${last}. ${why}`);
}

/** Explains from Prometheus's own metrics why the store doesn't have the sample. */
async function explainRemoteWrite(prometheus: Connection): Promise<string> {
  const queue = '{remote_name="long-term"}';
  const value = async (expr: string): Promise<number | undefined> => {
    const response = await prometheus.request(`/api/v1/query?query=${encodeURIComponent(expr)}`);
    const { data } = JSON.parse(response.text) as { data?: { result: { value: [number, string] }[] } };
    const [first] = data?.result ?? [];
    return first === undefined ? undefined : Number(first.value[1]);
  };
  const sent = (which: string) => `prometheus_remote_storage_queue_highest_${which}timestamp_seconds${queue}`;
  const behind = await value(`max(${sent("")}) - max(${sent("sent_")})`);
  if (behind === undefined)
    return "Prometheus does not write to it: check longTerm.writeUrl and run pulumi up";
  if (behind > 60) {
    return (
      `Prometheus is ${Math.round(behind)} s behind with remote write. Run: kubectl --namespace monitoring logs ` +
      "prometheus-k8sfv-0 --container prometheus --tail 50 (docs/operations.md, PrometheusRemoteWriteBehind)"
    );
  }
  return "Prometheus writes without delay: check that longTerm.readUrl leads to the same store and tenant as longTerm.writeUrl";
}
