import type { Connection } from "./connections.ts";
import { until } from "./until.ts";

/**
 * Timeout in milliseconds for the arrival of the alert Watchdog in Alertmanager. A new Prometheus may need two
 * evaluations of the alert rules, one minute apart, and some seconds to send the alert.
 */
const WATCHDOG_TIMEOUT_MS = 130_000;
const WATCHDOG = 'alertname="Watchdog"';

/**
 * Checks that Prometheus sends its alerts to an Alertmanager.
 *
 * @throws Error that says where to look, if Prometheus has no active Alertmanager
 */
export async function checkConnected(prometheus: Connection): Promise<void> {
  const response = await prometheus.request("/api/v1/alertmanagers");
  if (!response.ok) throw new Error(`it responds to /api/v1/alertmanagers with ${response.status}`);
  const { data } = JSON.parse(response.text) as { data: { activeAlertmanagers: { url: string }[] } };
  if (data.activeAlertmanagers.length > 0) return;
  throw new Error(
    "it has no active Alertmanager, so nobody is notified of alerts. Run: kubectl --namespace monitoring get " +
      "endpointslices --selector kubernetes.io/service-name=alertmanager " +
      "(docs/operations.md, PrometheusNotConnectedToAlertmanagers)",
  );
}

/**
 * Waits until Alertmanager has the alert Watchdog. It always fires, and Prometheus sends it to Alertmanager like every
 * other alert.
 *
 * @param timeoutMs timeout in milliseconds. The default is enough for two evaluations of the alert rules, which a new
 * Prometheus may need.
 * @throws Error that says at which step the alert is missing: no rule, a failed evaluation, no evaluation yet, or not
 * sent
 */
export async function waitForWatchdog(
  { prometheus, alertmanager }: { prometheus: Connection; alertmanager: Connection },
  stopped: AbortSignal,
  timeoutMs = WATCHDOG_TIMEOUT_MS,
): Promise<void> {
  const path = `/api/v2/alerts?active=true&filter=${encodeURIComponent(WATCHDOG)}`;
  const isThere = await until(timeoutMs, stopped, async () => {
    const response = await alertmanager.request(path);
    if (!response.ok)
      throw new Error(`it responds to /api/v2/alerts with ${response.status}: ${response.text.trim()}`);
    return (JSON.parse(response.text) as unknown[]).length > 0;
  });
  if (isThere) return;
  const why = await explainMissing(prometheus);
  throw new Error(`it has no alert Watchdog after ${timeoutMs / 1000} s: ${why}`);
}

interface Rule {
  name: string;
  health: string;
  lastError?: string;
  alerts?: { state: string }[];
}

/** Explains from Prometheus's API why the Watchdog does not arrive. */
async function explainMissing(prometheus: Connection): Promise<string> {
  const response = await prometheus.request("/api/v1/rules?type=alert");
  if (!response.ok) return `Prometheus responds to /api/v1/rules with ${response.status}`;
  const { data } = JSON.parse(response.text) as { data: { groups: { rules: Rule[] }[] } };
  const rule = data.groups.flatMap(({ rules }) => rules).find(({ name }) => name === "Watchdog");
  if (rule === undefined) {
    return (
      "Prometheus has no such rule. Run: kubectl --namespace monitoring describe prometheusrules, and read the log of " +
      "the Prometheus Operator (docs/operations.md, PrometheusOperatorRejectedResources)"
    );
  }
  if (rule.health === "err") return `Prometheus fails to evaluate the rule: ${rule.lastError}`;
  if (!(rule.alerts ?? []).some(({ state }) => state === "firing")) {
    return "Prometheus has not evaluated the rule yet. Try again in a minute";
  }
  return (
    "it fires in Prometheus, which fails to send it. Run: kubectl --namespace monitoring logs prometheus-k8sfv-0 " +
    "--container prometheus --tail 50"
  );
}
