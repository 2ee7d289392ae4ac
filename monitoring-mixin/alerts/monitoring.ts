import { WORKLOADS } from "../../lib/workloads.ts";
import { HEALTH } from "../dashboards/panel-ids.ts";
import { OWN_JOBS, ownJob, PUSH_METRICS, PUSH_PROXY_JOB } from "../metrics.ts";
import type { AlertThresholds } from "../thresholds.ts";
import type { Alert } from "./alert.ts";

/** Hours for which the alert about a failed or rejected push fires, so that it lasts until working hours. */
const PUSH_LIFETIME_HOURS = 12;

const PROMETHEUS = ownJob("prometheus");
const OPERATOR = ownJob("operator");
const ALERTMANAGER = ownJob("alertmanager");

/**
 * Returns the alerts about the monitoring system itself. Alerts that kube-prometheus also has use kube-prometheus's
 * names and durations (github.com/prometheus/prometheus, documentation/prometheus-mixin;
 * github.com/prometheus/alertmanager, doc/alertmanager-mixin; github.com/prometheus-operator/prometheus-operator,
 * jsonnet/mixin).
 */
export function monitoringAlerts(thresholds: AlertThresholds): Alert[] {
  return [
    ...pushAlerts(),
    targetDown(),
    diskFilling(thresholds),
    ...prometheusAlerts(),
    ...operatorAlerts(),
    ...alertmanagerAlerts(),
  ].map((alert) => ({
    ...alert,
    kind: "monitoring",
    panel: { dashboard: HEALTH.uid, id: alert.panel },
  }));
}

/** An alert of this file, without its kind and its panel's dashboard, which are the same for all. */
type MonitoringAlert = Omit<Alert, "kind" | "panel"> & { panel: number };

function pushAlerts(): MonitoringAlert[] {
  return [
    {
      name: "PushFailed",
      expr: `max by (job) (push_failure_time_seconds{job="k8sfv"}) > time() - ${PUSH_LIFETIME_HOURS * 3600}`,
      for: "0m",
      severity: "warning",
      summary: "A push to the Pushgateway failed",
      description:
        "The Pushgateway rejected the pushed metrics because they are inconsistent with other metrics, and kept the " +
        "previous ones. The run's result is lost unless it was pushed again.",
      panel: HEALTH.pushes,
    },
    {
      name: "PushRefused",
      expr: `sum by (code) (sum_over_time(gateway:pushes_refused:increase1m[${PUSH_LIFETIME_HOURS}h])) > 0`,
      for: "0m",
      severity: "warning",
      summary: `Pushes rejected with HTTP status {{ $labels.code }} within ${PUSH_LIFETIME_HOURS} h: {{ $value | printf "%.0f" }}`,
      description:
        "400: malformed or inconsistent metrics. 401: wrong password. 413: too large. 503: not stored in time. 507: " +
        "the Pushgateway is full. The response in the CI job's log names the reason.",
      panel: HEALTH.refused,
    },
    {
      name: "PushgatewayNearLimit",
      expr: `max(${PUSH_METRICS.storedBytes}{${PUSH_PROXY_JOB}}) / max(${PUSH_METRICS.storedBytesLimit}{${PUSH_PROXY_JOB}}) > 0.8`,
      for: "15m",
      severity: "warning",
      summary: "The Pushgateway's storage is {{ $value | humanizePercentage }} full",
      description:
        "At 100 %, pushes that make a group larger are rejected with HTTP status 507; groups of more than 1 MiB already " +
        "at 90 %. The Pushgateway never deletes a group by itself.",
      panel: HEALTH.stored,
    },
    {
      name: "PushgatewayExpositionInvalid",
      expr: `max(${PUSH_METRICS.expositionValid}{${PUSH_PROXY_JOB}}) == 0`,
      for: "1m",
      severity: "critical",
      summary: "Prometheus can't scrape all of the Pushgateway's metrics",
      description:
        "A metric group makes the Pushgateway's /metrics response fail or end early, so no pushed metrics are recorded. The " +
        "push proxy rejects such groups: this one was stored by another version of the proxy, or before there was one.",
      panel: HEALTH.scrapes,
    },
  ];
}

function targetDown(): MonitoringAlert {
  // A pod that doesn't start has no target, so there is no `up` series that could be 0.
  const absent = Object.values(WORKLOADS)
    .map(({ name }) => `absent(up{job="${name}"})`)
    .join(" or ");
  return {
    name: "TargetDown",
    expr: `max by (job) (up{${OWN_JOBS}}) == 0 or ${absent}`,
    for: "5m",
    severity: "critical",
    summary: "{{ $labels.job }} has not answered for 5 minutes",
    description: "Scrapes of this workload fail, or it has no pod.",
    panel: HEALTH.scrapes,
  };
}

function diskFilling({ diskFullDays: days }: AlertThresholds): MonitoringAlert {
  const used = "prometheus:disk_used_bytes";
  const limit = `max(prometheus_tsdb_retention_limit_bytes{${PROMETHEUS}} > 0)`;
  return {
    name: "PrometheusDiskFilling",
    // A new database grows fast, which would make the prediction too high. The condition with `offset 3d` therefore
    // ignores the prediction in the first three days.
    expr:
      `predict_linear(${used}[7d], ${days * 86_400}) / ${limit} > 1 and ${used} offset 3d ` +
      `or max(increase(prometheus_tsdb_size_retentions_total{${PROMETHEUS}}[1d])) > 0`,
    for: "15m",
    severity: "warning",
    summary: `Prometheus' disk is full, or will be within ${days} days`,
    description:
      "At the growth rate of the last 7 days, Prometheus will reach its size limit within this time, or it reached the " +
      "limit in the last 24 hours. At the limit, it deletes the oldest data.",
    panel: HEALTH.disk,
  };
}

function prometheusAlerts(): MonitoringAlert[] {
  const sentUntil = (which: string) =>
    `max by (remote_name) (max_over_time(prometheus_remote_storage_queue_highest_${which}timestamp_seconds{${PROMETHEUS}}[5m]))`;
  return [
    {
      name: "PrometheusRuleFailures",
      expr: `sum by (rule_group) (increase(prometheus_rule_evaluation_failures_total{${PROMETHEUS}}[5m])) > 0`,
      for: "15m",
      severity: "critical",
      summary: "Prometheus fails to evaluate rules of {{ $labels.rule_group }}",
      description: "Recorded series get gaps, or alerts don't fire.",
      panel: HEALTH.errors,
    },
    {
      name: "PrometheusBadConfig",
      expr: `max(max_over_time(prometheus_config_last_reload_successful{${PROMETHEUS}}[5m])) == 0`,
      for: "10m",
      severity: "critical",
      summary: "Prometheus failed to load its configuration",
      description: "It still uses the previous configuration and rules.",
      panel: HEALTH.errors,
    },
    {
      name: "PrometheusNotConnectedToAlertmanagers",
      expr: `max(max_over_time(prometheus_notifications_alertmanagers_discovered{${PROMETHEUS}}[5m])) < 1`,
      for: "10m",
      severity: "critical",
      summary: "Prometheus finds no Alertmanager",
      description:
        "No alerts are sent. This alert is visible only in Prometheus and Grafana; outside, only the heartbeat stops.",
      panel: HEALTH.notifications,
    },
    {
      name: "PrometheusRemoteWriteBehind",
      expr: `${sentUntil("")} - ${sentUntil("sent_")} > 120`,
      for: "15m",
      severity: "critical",
      summary: "Remote write is {{ humanizeDuration $value }} behind",
      description:
        "The receiver of remoteWrite.url or longTerm.writeUrl is down, rejects samples, or is too slow.",
      panel: HEALTH.remoteWrite,
    },
  ];
}

function operatorAlerts(): MonitoringAlert[] {
  return [
    {
      name: "PrometheusOperatorReconcileErrors",
      expr:
        `sum by (controller) (rate(prometheus_operator_reconcile_errors_total{${OPERATOR}}[5m])) ` +
        `/ sum by (controller) (rate(prometheus_operator_reconcile_operations_total{${OPERATOR}}[5m])) > 0.1`,
      for: "10m",
      severity: "warning",
      summary: "The Prometheus Operator fails to apply changes ({{ $labels.controller }})",
      description: "Changes to rules, scrapes or pods don't take effect.",
      panel: HEALTH.errors,
    },
    {
      name: "PrometheusOperatorRejectedResources",
      expr: `max by (controller, resource) (min_over_time(prometheus_operator_managed_resources{state="rejected", ${OPERATOR}}[5m])) > 0`,
      for: "5m",
      severity: "warning",
      summary: "The Prometheus Operator rejects a {{ $labels.resource }}",
      description: "The resource is invalid and has no effect. The operator's log names it.",
      panel: HEALTH.errors,
    },
  ];
}

function alertmanagerAlerts(): MonitoringAlert[] {
  const increase = (metric: string, range: string) =>
    `sum by (integration) (increase(${metric}{${ALERTMANAGER}}[${range}]))`;
  return [
    {
      name: "AlertmanagerFailedReload",
      expr: `max(max_over_time(alertmanager_config_last_reload_successful{${ALERTMANAGER}}[5m])) == 0`,
      for: "10m",
      severity: "critical",
      summary: "Alertmanager failed to load its configuration",
      description: "It still uses the previous routes and receivers.",
      panel: HEALTH.errors,
    },
    {
      name: "AlertmanagerFailedToSendAlerts",
      // The first term counts messages that Alertmanager stopped retrying. It retries a message until the group's next
      // one is due, which takes hours for nightly results. So the second term counts failed requests.
      expr:
        `${increase("alertmanager_notifications_failed_total", "1h")} > 0 ` +
        `or ${increase("alertmanager_notification_requests_failed_total", "10m")} > 5`,
      for: "5m",
      severity: "critical",
      summary: "Alertmanager fails to send messages by {{ $labels.integration }}",
      description: "The receiver is down or rejects messages. This alert reaches only the other receivers.",
      panel: HEALTH.notifications,
    },
  ];
}
