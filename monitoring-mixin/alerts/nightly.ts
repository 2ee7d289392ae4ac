import { SUMMARY } from "../dashboards/summary.ts";
import { ownJob } from "../metrics.ts";
import type { AlertThresholds } from "../thresholds.ts";
import type { Alert } from "./alert.ts";
import { LEVEL, NIGHTLY } from "./alert.ts";

/**
 * How long a result fires: until the end of the day after the run. It has to end before the next night's first
 * result, because Alertmanager waits (`alerts.collectMinutes`) only for a group that is new. Results of one night
 * begin within three hours of each other and are collected for three, which leaves 18 h; one hour is for a run that
 * came early.
 */
const RESULT_LIFETIME = "17h";

/** How long a code level without a run is looked for, and so how long NightlyRunMissing can fire. */
const LEVEL_LIFETIME = "7d";

/** Alerts about the results of nightly runs. */
export function nightlyAlerts(thresholds: AlertThresholds): Alert[] {
  return [
    runMissing(thresholds),
    {
      name: "TestFailed",
      expr: `1 - last_over_time(run:k8sfv_test_result{${NIGHTLY}}[${RESULT_LIFETIME}]) > 0`,
      for: "0m",
      severity: "warning",
      kind: "nightly",
      summary: `${LEVEL}: "{{ $labels.test_name }}" failed`,
      description: `The test failed in the last run of this code level, within ${RESULT_LIFETIME}. The CI job's log has the reason.`,
      panel: { dashboard: SUMMARY.uid, id: SUMMARY.results },
    },
    {
      name: "TestMissing",
      expr: `last_over_time(run:k8sfv_test_missing{${NIGHTLY}}[${RESULT_LIFETIME}]) > 0`,
      for: "0m",
      severity: "warning",
      kind: "nightly",
      summary: `${LEVEL}: "{{ $labels.test_name }}" has no result`,
      description:
        "The last run of this code level has no result of a test that the run of the night before had. Either the " +
        "test was renamed or skipped, or the suite ended early.",
      panel: { dashboard: SUMMARY.uid, id: SUMMARY.results },
    },
    occupancyIncreased(thresholds),
  ];
}

function runMissing({ runMissingHours: hours }: AlertThresholds): Alert {
  const last = `max by (code_level) (last_over_time(run:k8sfv_test_push_time_seconds{${NIGHTLY}}[${LEVEL_LIFETIME}]))`;
  // Without any run there is no code level to name. A new environment has some time for its first run.
  const none =
    `absent_over_time(run:push_time_seconds[${LEVEL_LIFETIME}]) * ${7 * 86_400} ` +
    `and on () count(present_over_time(up{${ownJob("prometheus")}}[1d] offset ${hours}h))`;
  return {
    name: "NightlyRunMissing",
    expr: `time() - ${last} > ${hours * 3600} or ${none}`,
    for: "0m",
    severity: "warning",
    kind: "nightly",
    summary: `No run{{ if $labels.code_level }} of ${LEVEL}{{ end }} for {{ humanizeDuration $value }}`,
    description:
      `Nothing was pushed for more than ${hours} h. Either the CI job did not run, or it could not push. The alert ` +
      "ends 7 days after a code level's last run.",
    panel: { dashboard: SUMMARY.uid, id: SUMMARY.lastRun },
  };
}

function occupancyIncreased({ occupancyGrowthPercent: percent }: AlertThresholds): Alert {
  const mean = `last_over_time(run:k8sfv_occupancy_mean_bytes{${NIGHTLY}}[${RESULT_LIFETIME}])`;
  const median = `last_over_time(run:k8sfv_occupancy_mean_bytes:median7{${NIGHTLY}}[${RESULT_LIFETIME}])`;
  return {
    name: "OccupancyIncreased",
    expr: `100 * (${mean} / ${median} - 1) > ${percent}`,
    for: "0m",
    severity: "warning",
    kind: "nightly",
    summary: `${LEVEL}: {{ $labels.process }} occupies {{ $value | printf "%.1f" }} % more in "{{ $labels.test_name }}"`,
    description: `The mean occupancy of the last run is more than ${percent} % above the median of the 7 runs before it.`,
    panel: { dashboard: SUMMARY.uid, id: SUMMARY.change },
  };
}
