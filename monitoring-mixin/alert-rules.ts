import { WORKLOADS } from "../workloads.ts";
import { HEALTH } from "./dashboards/monitoring-health.ts";
import { SUMMARY } from "./dashboards/summary.ts";
import type { AlertThresholds } from "./thresholds.ts";

/** An alert: it fires for each series that its query gives, and for none when it gives nothing. */
export interface Alert {
  /** Its resource's id: stays when the title changes. */
  uid: string;
  title: string;
  /** PromQL that gives a series, with a value above 0, for each thing that is wrong. */
  expr: string;
  /** One line for the message; labels as {{ $labels.name }}, the value as {{ $values.A }}. */
  summary: string;
  /** What it means and what to do. */
  description: string;
  /** The panel that shows it. */
  panel: { dashboard: string; id: number };
  /** "night": of the results, told once a night. "now": of the monitoring, told at once. */
  kind: "night" | "now";
}

/**
 * How long a result is worth an alert: to the end of the day after the night. It has to be over before the next
 * night's first result: Alertmanager puts a new alert at once, or at its next turn, into a group that is still
 * there, and collects only those of a new one. Alerts of a night begin within three hours of each other and are
 * collected for three (collectMinutes), which leaves 18, and one for a run that came early.
 */
const NIGHT = "17h";

/** What a developer pushed is shown and nobody is told of it: those runs are not nightly, nor whole. */
const NIGHTLY = 'code_level!="dev"';

/** How long a push that failed is worth a message: until somebody is at work. */
const SEEN = "12h";

/**
 * All alerts. Each query says what is wrong *for how long* by itself, so an alert fires in the first
 * evaluation that finds it, and is over when the query gives nothing any more.
 */
export function alerts(thresholds: AlertThresholds): Alert[] {
  return [...nightAlerts(thresholds), ...monitoringAlerts(thresholds)];
}

function nightAlerts({ runMissingHours: hours, occupancyGrowthPercent: percent }: AlertThresholds): Alert[] {
  const last = `max by (code_level) (last_over_time(run:k8sfv_test_push_time_seconds{${NIGHTLY}}[7d]))`;
  // Without any run there is no code level to tell; not before there could have been one.
  const none = `absent_over_time(run:push_time_seconds[7d]) * 604800 and on () count(present_over_time(up[1d] offset ${hours}h))`;
  const mean = `last_over_time(run:k8sfv_occupancy_mean_bytes{${NIGHTLY}}[${NIGHT}])`;
  const median = `last_over_time(run:k8sfv_occupancy_mean_bytes:median7{${NIGHTLY}}[${NIGHT}])`;
  return [
    {
      uid: "k8sfv-run-missing",
      title: "Nightly run is missing",
      expr: `time() - ${last} > ${hours * 3600} or ${none}`,
      summary: `No run{{ if $labels.code_level }} of {{ $labels.code_level }}{{ end }} for {{ humanizeDuration $values.A.Value }}`,
      description:
        `Nothing was pushed for more than ${hours} h. Look at the CI job, and whether it could push: ` +
        "a failed or refused push has its own alert. A code level without a run for 7 days is given up; " +
        "dev, whose runs are not nightly, is not waited for.",
      panel: { dashboard: SUMMARY.uid, id: SUMMARY.lastRun },
      kind: "night",
    },
    {
      uid: "k8sfv-test-failed",
      title: "Test fails",
      expr: `1 - last_over_time(run:k8sfv_test_result{${NIGHTLY}}[${NIGHT}]) > 0`,
      summary: `{{ $labels.code_level }}: "{{ $labels.test_name }}" fails`,
      description: `In its last run, within ${NIGHT}, this test failed. The CI job's log says why.`,
      panel: { dashboard: SUMMARY.uid, id: SUMMARY.results },
      kind: "night",
    },
    {
      uid: "k8sfv-test-missing",
      title: "Test is missing",
      expr: `last_over_time(run:k8sfv_test_missing{${NIGHTLY}}[${NIGHT}]) > 0`,
      summary: `{{ $labels.code_level }}: "{{ $labels.test_name }}" ran yesterday and is missing today`,
      description:
        "The code level's last run has no result of a test that the run of the night before had: " +
        "was the test renamed or skipped, or did the suite end early?",
      panel: { dashboard: SUMMARY.uid, id: SUMMARY.results },
      kind: "night",
    },
    {
      uid: "k8sfv-occupancy-grew",
      title: "Occupancy grew",
      expr: `100 * (${mean} / ${median} - 1) > ${percent}`,
      summary: `{{ $labels.code_level }}: {{ $labels.process }} occupies {{ printf "%.1f" $values.A.Value }} % more in "{{ $labels.test_name }}"`,
      description: `Mean occupancy of the last run is more than ${percent} % above the median of the 7 runs before it.`,
      panel: { dashboard: SUMMARY.uid, id: SUMMARY.change },
      kind: "night",
    },
  ];
}

function monitoringAlerts({ diskFullDays: days }: AlertThresholds): Alert[] {
  const used = "prometheus:disk_used_bytes";
  // A pod that doesn't start is no target: then there is nothing that could be 0. Not for a Prometheus that wasn't
  // there itself.
  const gone = Object.values(WORKLOADS)
    .map(({ name }) => `absent_over_time(up{job="${name}"}[5m])`)
    .join(" or ");
  return [
    {
      uid: "k8sfv-push-failed",
      title: "Push failed",
      expr: `max by (job) (push_failure_time_seconds{job="k8sfv"}) > time() - ${hoursOf(SEEN)}`,
      summary: "A push to the gateway failed",
      description:
        "The gateway took the push and then found its metrics inconsistent, so it kept what was there " +
        "before. The run's result is lost unless it was pushed again.",
      panel: { dashboard: HEALTH.uid, id: HEALTH.pushes },
      kind: "now",
    },
    {
      uid: "k8sfv-push-refused",
      title: "Push refused",
      expr: `sum(sum_over_time(gateway:pushes_refused:increase1m[${SEEN}])) > 0`,
      summary: `{{ printf "%.0f" $values.A.Value }} pushes refused within ${SEEN}`,
      description:
        "A push was answered with an error: malformed or inconsistent metrics (400), the wrong password (401), " +
        "too large (413), no room (507), or not stored in time (503). The CI job's log has the answer's text.",
      panel: { dashboard: HEALTH.uid, id: HEALTH.refused },
      kind: "now",
    },
    {
      uid: "k8sfv-target-down",
      title: "Scrape target is down",
      expr: `1 - max by (job) (max_over_time(up[5m])) > 0 or (${gone}) and on () count(up offset 5m)`,
      summary: "{{ $labels.job }} has not answered for 5 minutes",
      description:
        "None of its targets answered a scrape, or it has none. Look at its pod: " +
        "kubectl --namespace monitoring get pods",
      panel: { dashboard: HEALTH.uid, id: HEALTH.scrapes },
      kind: "now",
    },
    {
      uid: "k8sfv-disk-fills",
      title: "Disk fills",
      // Growth of less than three days says nothing: a new database grows fast.
      expr:
        `predict_linear(${used}[7d], ${days * 86400}) / max(prometheus_tsdb_retention_limit_bytes > 0) > 1 ` +
        `and ${used} offset 3d or increase(prometheus_tsdb_size_retentions_total[1d]) > 0`,
      summary: `Prometheus's disk is full, or will be within ${days} days`,
      description:
        "At the growth of the last 7 days Prometheus soon reaches its size limit, and then drops its oldest " +
        "nights, or it did so within a day. Give it a larger disk (disks.prometheusGb), or find what grew: see series and samples.",
      panel: { dashboard: HEALTH.uid, id: HEALTH.disk },
      kind: "now",
    },
  ];
}

function hoursOf(duration: string): number {
  return Number.parseInt(duration, 10) * 3600;
}
