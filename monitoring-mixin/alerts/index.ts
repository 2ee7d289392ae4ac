import { HEALTH } from "../dashboards/panel-ids.ts";
import type { AlertThresholds } from "../thresholds.ts";
import type { Alert } from "./alert.ts";
import { monitoringAlerts } from "./monitoring.ts";
import { nightlyAlerts } from "./nightly.ts";

export type { Alert } from "./alert.ts";

/**
 * The heartbeat, which always fires. A receiver that stops getting it knows that Prometheus or Alertmanager is down.
 */
const WATCHDOG: Alert = {
  name: "Watchdog",
  expr: "vector(1)",
  for: "0m",
  severity: "none",
  kind: "heartbeat",
  summary: "Prometheus evaluates rules and sends alerts",
  description: "This alert always fires. Alertmanager posts it to alerts.heartbeatUrl.",
  panel: { dashboard: HEALTH.uid, id: HEALTH.notifications },
};

/** Returns all alerts. */
export function alerts(thresholds: AlertThresholds): Alert[] {
  return [...nightlyAlerts(thresholds), ...monitoringAlerts(thresholds), WATCHDOG];
}

/** A group of alert rules, as in a PrometheusRule. `Link` is the type of the dashboards' URLs. */
export interface AlertGroup<Link> {
  name: string;
  /** Evaluation interval. */
  interval: string;
  rules: {
    alert: string;
    expr: string;
    for: string;
    labels: { severity: string; kind: string };
    annotations: { summary: string; description: string; runbook_url: string; dashboard_url: Link };
  }[];
}

/** Arguments of {@link alertGroups}. */
export interface AlertGroupsArgs<Link> {
  thresholds: AlertThresholds;
  /** URL of the page with a section for each alert; the anchor is appended. */
  runbookUrl: string;
  /** Returns the URL of a path in Grafana, such as "/d/k8sfv-summary?viewPanel=2". */
  grafanaLink: (path: string) => Link;
}

/** Evaluation interval of the alert groups, the same as that of the recording rules that they read. */
const INTERVAL = "1m";

/** Returns the alert rules in one group for each kind. */
export function alertGroups<Link>(args: AlertGroupsArgs<Link>): AlertGroup<Link>[] {
  const all = alerts(args.thresholds);
  return (["nightly", "monitoring", "heartbeat"] as const).map((kind) => ({
    name: `k8sfv-alerts-${kind}`,
    interval: INTERVAL,
    rules: all.filter((alert) => alert.kind === kind).map((alert) => rule(alert, args)),
  }));
}

function rule<Link>(alert: Alert, { runbookUrl, grafanaLink }: AlertGroupsArgs<Link>) {
  const { name, expr, severity, kind, summary, description, panel } = alert;
  return {
    alert: name,
    expr,
    for: alert.for,
    labels: { severity, kind },
    annotations: {
      summary,
      description,
      runbook_url: `${runbookUrl}#${name.toLowerCase()}`,
      dashboard_url: grafanaLink(`/d/${panel.dashboard}?viewPanel=${panel.id}`),
    },
  };
}
