import { SUMMARY } from "../dashboards/panel-ids.ts";
import { NIGHTLY, ownJob } from "../metrics.ts";
import { EXPECTED_DAYS, NIGHT_HOURS } from "../run-rules.ts";
import { overdue } from "../schedule.ts";
import type { AlertThresholds } from "../thresholds.ts";
import type { Alert } from "./alert.ts";
import { LEVEL } from "./alert.ts";

/**
 * Time for which an alert about a result fires. The alert must end before the next nightly run's first result:
 * Alertmanager collects alerts into one message (for `alerts.collectMinutes`) only for a new group, not for one that
 * still fires.
 */
const RESULT_LIFETIME = `${NIGHT_HOURS}h`;

/** Returns the alerts about nightly runs. */
export function nightlyAlerts(thresholds: AlertThresholds): Alert[] {
  return [
    runMissing(thresholds),
    {
      name: "TestFailed",
      expr: `last_over_time(nightly:k8sfv_test_result{${NIGHTLY}}[${RESULT_LIFETIME}]) == 0`,
      for: "0m",
      severity: "warning",
      kind: "nightly",
      summary: `${LEVEL}: "{{ $labels.test_name }}" failed`,
      description:
        "The test failed in the last nightly run of this code level, and no rerun of it passed. A result that is not a " +
        "number counts as failed. The CI job's log has the reason.",
      panel: { dashboard: SUMMARY.uid, id: SUMMARY.results },
    },
    testMissing(thresholds),
    occupancyIncreased(thresholds),
    {
      name: "OccupancyNotMeasured",
      // `unless` returns NaN values too; a comparison such as `<= 0` would drop them.
      expr:
        `last_over_time(run:k8sfv_occupancy_mean_bytes{${NIGHTLY}}[${RESULT_LIFETIME}]) ` +
        `unless (last_over_time(run:k8sfv_occupancy_mean_bytes{${NIGHTLY}}[${RESULT_LIFETIME}]) > 0 < Inf)`,
      for: "0m",
      severity: "warning",
      kind: "nightly",
      summary: `${LEVEL}: the occupancy of {{ $labels.process }} in "{{ $labels.test_name }}" is {{ $value }}`,
      description:
        "The last run pushed a mean occupancy that is not a positive number. Medians and panels ignore it.",
      panel: { dashboard: SUMMARY.uid, id: SUMMARY.change },
    },
  ];
}

function runMissing(thresholds: AlertThresholds): Alert {
  const hours = thresholds.runMissingHours;
  // If no code level had a run in EXPECTED_DAYS days, this expression returns one series, without the label
  // `code_level`. Otherwise, it returns nothing. Returns nothing in the first `runMissingHours` hours of a new
  // environment.
  const none =
    `absent_over_time(run:push_time_seconds[${EXPECTED_DAYS}d]) * ${EXPECTED_DAYS * 86_400} ` +
    `and on () count(present_over_time(up{${ownJob("prometheus")}}[1d] offset ${hours}h))`;
  return {
    name: "NightlyRunMissing",
    expr: `${overdue(thresholds)} or ${none}`,
    for: "0m",
    severity: "warning",
    kind: "nightly",
    summary: `No run{{ if $labels.code_level }} of ${LEVEL}{{ end }} for {{ humanizeDuration $value }}`,
    description:
      "No run arrived by the time that alerts.expectedRuns or alerts.runMissingHours sets. Either the CI job did not run, " +
      `or it could not push. The alert ends ${EXPECTED_DAYS} days after the last run, or some days later if the code ` +
      "level has a schedule.",
    panel: { dashboard: SUMMARY.uid, id: SUMMARY.lastRun },
  };
}

function testMissing({ collectMinutes }: AlertThresholds): Alert {
  const pushed = `last_over_time(nightly:k8sfv_test_push_time_seconds{${NIGHTLY}}[${EXPECTED_DAYS}d])`;
  const started = `last_over_time(nightly:start_time_seconds[${RESULT_LIFETIME}])`;
  return {
    name: "TestMissing",
    expr: `${pushed} < on (code_level) group_left () ${started}`,
    // Gives shards and reruns time to push the test's result. Alertmanager collects a run's alerts for `collectMinutes`
    // before it sends them in one message, so a shorter time includes this alert in the message.
    for: `${Math.floor((collectMinutes * 2) / 3)}m`,
    severity: "warning",
    kind: "nightly",
    summary: `${LEVEL}: "{{ $labels.test_name }}" has no result`,
    description:
      `The nightly run of this code level has no result of a test that ran in the last ${EXPECTED_DAYS} days. Either the ` +
      "test was renamed or skipped, or the suite ended early.",
    panel: { dashboard: SUMMARY.uid, id: SUMMARY.results },
  };
}

function occupancyIncreased({ occupancyGrowthPercent: percent }: AlertThresholds): Alert {
  const mean = `last_over_time(nightly:k8sfv_occupancy_mean_bytes{${NIGHTLY}}[${RESULT_LIFETIME}])`;
  const median = `last_over_time(nightly:k8sfv_occupancy_mean_bytes:median7d{${NIGHTLY}}[${RESULT_LIFETIME}])`;
  return {
    name: "OccupancyIncreased",
    expr: `100 * (${mean} / ${median} - 1) > ${percent}`,
    for: "0m",
    severity: "warning",
    kind: "nightly",
    summary: `${LEVEL}: {{ $labels.process }} occupies {{ $value | printf "%.1f" }} % more in "{{ $labels.test_name }}"`,
    description:
      `The mean occupancy of the last nightly run is more than ${percent} % above the median of the runs in the 7 days ` +
      "before it. At least 3 earlier runs are needed for a median.",
    panel: { dashboard: SUMMARY.uid, id: SUMMARY.change },
  };
}
