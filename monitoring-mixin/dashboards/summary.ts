import type * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import type { Schedule } from "../schedule.ts";
import type { AlertThresholds } from "../thresholds.ts";
import { type Dashboard, makeDashboard } from "./dashboard.ts";
import { SUMMARY } from "./panel-ids.ts";
import { occupancy } from "./summary-occupancy.ts";
import { results } from "./summary-results.ts";
import { chosen, variable } from "./variables.ts";

/** Limits at which panels turn red. */
export type SummaryThresholds = Schedule & Pick<AlertThresholds, "occupancyGrowthPercent">;

/**
 * Returns the morning overview. It reads the recording rules' `nightly:` series, which have one sample per nightly run:
 * 1,825 points in five years. The window of each range query equals its step, so no point is left out.
 */
export function summary(thresholds: SummaryThresholds): Dashboard {
  return makeDashboard({
    title: "k8sfv summary",
    uid: SUMMARY.uid,
    description: "Results of the last nightly runs, and Felix's memory occupancy, by test and code level",
    range: "30d",
    refresh: "5m",
    variables: variables(),
    alerts: { kind: "nightly", panels: [SUMMARY.passing] },
    panels: [...results(thresholds), ...occupancy(thresholds.occupancyGrowthPercent)],
  });
}

function variables(): dashboard.QueryVariableBuilder[] {
  return [
    variable({
      name: "code_level",
      label: "Code level",
      description: "Branches whose runs are shown",
      series: "nightly:k8sfv_test_result",
    }),
    variable({
      name: "test_name",
      label: "Test",
      description: "Tests to show",
      series: `nightly:k8sfv_test_result{${chosen("code_level")}}`,
    }),
    variable({
      name: "process",
      label: "Process",
      description: "Processes whose occupancy is shown",
      series: "nightly:k8sfv_occupancy_mean_bytes",
    }),
    variable({
      name: "heap_test",
      label: "Test for the heap",
      description: "Test whose heap is shown step by step",
      series: `nightly:k8sfv_heap_alloc_bytes{${chosen("code_level")}}`,
      of: "test_name",
      single: true,
    }),
  ];
}
