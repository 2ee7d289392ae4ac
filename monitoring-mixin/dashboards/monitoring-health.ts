import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import { OWN_JOBS, ownJob, PUSH_METRICS, PUSH_PROXY_JOB } from "../metrics.ts";
import { type Dashboard, makeDashboard } from "./dashboard.ts";
import { healthOverview } from "./monitoring-health-overview.ts";
import { HEALTH } from "./panel-ids.ts";
import { stateTimeline, timeSeries } from "./panels.ts";

const PROMETHEUS = ownJob("prometheus");

/** Mappings of `up`: 1 is a successful scrape. */
const UP: dashboard.ValueMapping[] = [
  {
    type: dashboard.MappingType.ValueToText,
    options: { 0: { text: "down", color: "red" }, 1: { text: "up", color: "green" } },
  },
];

/**
 * Returns the dashboard about the monitoring system itself. The numbers of pushes and restarts and the disk usage come
 * from recording rules, so that queries over long ranges don't read all scrapes of these metrics.
 */
export function monitoringHealth(): Dashboard {
  return makeDashboard({
    title: "Monitoring health",
    uid: HEALTH.uid,
    description: "Pushes, scrapes, disk, memory and alerts of the monitoring system itself",
    range: "24h",
    refresh: "1m",
    variables: [],
    alerts: { kind: "monitoring" },
    panels: [...healthOverview(), ...scrapes(), ...disk(), ...pods(), ...alerting()],
  });
}

function scrapes() {
  return [
    stateTimeline({
      id: HEALTH.scrapes,
      title: "Scrapes",
      description:
        "Whether scrapes of each target succeeded. In a long range, each point shows only a single scrape.",
      unit: "none",
      width: 12,
      mappings: UP,
      queries: [{ expr: `min by (job) (up{${OWN_JOBS}})`, legend: "{{job}}" }],
    }),
    timeSeries({
      id: 7,
      title: "Scrape duration",
      description: "Response time of each target. A scrape fails after 10 s.",
      unit: "s",
      width: 12,
      min: 0,
      queries: [{ expr: `max by (job) (scrape_duration_seconds{${OWN_JOBS}})`, legend: "{{job}}" }],
    }),
    timeSeries({
      id: 8,
      title: "Samples per scrape",
      description: "Number of samples that each target returns.",
      unit: "none",
      width: 12,
      min: 0,
      queries: [{ expr: `sum by (job) (scrape_samples_scraped{${OWN_JOBS}})`, legend: "{{job}}" }],
    }),
    timeSeries({
      id: 9,
      title: "Series",
      description: "Active series in Prometheus's memory.",
      unit: "none",
      width: 12,
      min: 0,
      queries: [{ expr: `max(prometheus_tsdb_head_series{${PROMETHEUS}})`, legend: "series" }],
    }),
    timeSeries({
      id: 10,
      title: "Ingested samples",
      // Each point is the mean rate of the 5 minutes before it, even if a long time range makes the points more than 5
      // minutes apart.
      description: "Samples that Prometheus stores per second.",
      unit: "cps",
      width: 12,
      min: 0,
      queries: [
        {
          expr: `sum(rate(prometheus_tsdb_head_samples_appended_total{${PROMETHEUS}}[5m]))`,
          legend: "samples",
        },
      ],
    }),
  ];
}

function disk() {
  return [
    timeSeries({
      id: HEALTH.disk,
      title: "Disk used by Prometheus",
      description:
        "Blocks, write-ahead log and memory chunks, and the size at which Prometheus deletes the oldest data.",
      unit: "bytes",
      width: 12,
      min: 0,
      queries: [
        { expr: "max(prometheus:disk_used_bytes)", legend: "used" },
        { expr: `max(prometheus_tsdb_retention_limit_bytes{${PROMETHEUS}})`, legend: "limit" },
      ],
    }),
  ];
}

function pods() {
  return [
    timeSeries({
      id: 12,
      title: "Memory by process",
      description: "Resident memory of the environment's own processes.",
      unit: "bytes",
      width: 12,
      min: 0,
      queries: [{ expr: `max by (job) (process_resident_memory_bytes{${OWN_JOBS}})`, legend: "{{job}}" }],
    }),
    timeSeries({
      id: 13,
      title: "Time since the last start",
      description: "Uptime of each process. It falls to zero at a restart.",
      unit: "s",
      width: 12,
      min: 0,
      queries: [
        { expr: `time() - max by (job) (process_start_time_seconds{${OWN_JOBS}})`, legend: "{{job}}" },
      ],
    }),
  ];
}

/**
 * Returns panels about Alertmanager's messages, the monitoring's errors, the Pushgateway's storage and remote write.
 */
function alerting() {
  const operator = ownJob("operator");
  const alertmanager = ownJob("alertmanager");
  const sent = (metric: string) =>
    `sum by (integration) (increase(${metric}{${alertmanager}}[$__rate_interval])) > 0`;
  const remoteWrite = (which: string) =>
    `max by (remote_name) (prometheus_remote_storage_queue_highest_${which}timestamp_seconds{${PROMETHEUS}})`;
  return [
    timeSeries({
      id: HEALTH.notifications,
      title: "Alertmanager messages",
      description: "Messages that Alertmanager sent, by receiver, and requests that failed.",
      unit: "none",
      width: 12,
      min: 0,
      minStep: "1m",
      queries: [
        { expr: sent("alertmanager_notifications_total"), legend: "{{integration}}" },
        { expr: sent("alertmanager_notification_requests_failed_total"), legend: "{{integration}} failed" },
      ],
    }),
    timeSeries({
      id: HEALTH.errors,
      title: "Monitoring errors",
      description:
        "Failed rule evaluations and reconciliations, rejected resources, and configurations that failed to load.",
      unit: "none",
      width: 12,
      min: 0,
      minStep: "1m",
      queries: [
        {
          expr: `sum(increase(prometheus_rule_evaluation_failures_total{${PROMETHEUS}}[$__rate_interval]))`,
          legend: "rule evaluations",
        },
        {
          expr: `sum(increase(prometheus_operator_reconcile_errors_total{${operator}}[$__rate_interval]))`,
          legend: "reconciliations",
        },
        {
          expr: `sum(prometheus_operator_managed_resources{state="rejected", ${operator}})`,
          legend: "rejected resources",
        },
        {
          expr: `1 - min(prometheus_config_last_reload_successful{${PROMETHEUS}})`,
          legend: "configuration of Prometheus",
        },
        {
          expr: `1 - min(alertmanager_config_last_reload_successful{${alertmanager}})`,
          legend: "configuration of Alertmanager",
        },
      ],
    }),
    timeSeries({
      id: HEALTH.stored,
      title: "Pushgateway storage",
      description: "Size of the Pushgateway's persistence file, and the limit at which pushes are rejected.",
      unit: "bytes",
      width: 12,
      min: 0,
      queries: [
        { expr: `max(${PUSH_METRICS.storedBytes}{${PUSH_PROXY_JOB}})`, legend: "used" },
        { expr: `max(${PUSH_METRICS.storedBytesLimit}{${PUSH_PROXY_JOB}})`, legend: "limit" },
      ],
    }),
    timeSeries({
      id: HEALTH.remoteWrite,
      title: "Remote write delay",
      description:
        "Time by which the remote-write receiver is behind. Empty without `remoteWrite` and `longTerm`.",
      unit: "s",
      width: 12,
      min: 0,
      queries: [{ expr: `${remoteWrite("")} - ${remoteWrite("sent_")}`, legend: "{{remote_name}}" }],
    }),
  ];
}
