import type * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import { NIGHTLY } from "../metrics.ts";
import { overdue } from "../schedule.ts";
import { EXPECTED_DAYS, testsOfNight } from "../run-rules.ts";
import type { AlertThresholds } from "../thresholds.ts";
import type { Dashboard } from "./shared.ts";
import {
  barChart,
  chosen,
  chosenTests,
  coloredColumn,
  makeDashboard,
  MISSING,
  RESULT,
  stat,
  table,
  timeSeries,
  variable,
} from "./shared.ts";

/** Panels that alerts link to. */
export const SUMMARY = { uid: "k8sfv-summary", results: 2, lastRun: 3, passing: 4, change: 7 } as const;

const CHOSEN_TESTS = `${chosen("code_level")}, ${chosenTests("test_name")}`;
const CHOSEN = `${chosen("process")}, ${CHOSEN_TESTS}`;
// The test name comes last, because it is long and legends truncate the end.
const NAME = "{{code_level}} · {{process}} · {{test_name}}";

/** Lines connect nightly runs across up to two missing nights. */
const SPANNED_GAP_MS = 3 * 24 * 3600 * 1000;

/** Limits at which panels turn red. */
export type SummaryThresholds = Pick<
  AlertThresholds,
  "runMissingHours" | "expectedRuns" | "occupancyGrowthPercent"
>;

/** Lookback window for the last run. Code levels without a run in this window are not shown. */
const LAST = `${EXPECTED_DAYS}d`;

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
    panels: [...lastNight(thresholds), ...overTime(), ...comparison(thresholds), ...heap()],
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

function lastNight(thresholds: SummaryThresholds) {
  const inNight = testsOfNight(LAST, `{${CHOSEN_TESTS}}`);
  const passing =
    `sum by (code_level) (last_over_time(nightly:k8sfv_test_result{${CHOSEN_TESTS}}[${LAST}]) ` +
    `and on (code_level, test_name) ${inNight})`;
  // Tests of earlier nightly runs are expected too, except in developers' runs.
  const expected =
    `(count by (code_level) (last_over_time(nightly:k8sfv_test_result{${CHOSEN_TESTS}, ${NIGHTLY}}[${LAST}])) ` +
    `or count by (code_level) (${inNight}))`;
  const sinceLastRun = `time() - max by (code_level) (last_over_time(nightly:k8sfv_test_push_time_seconds{${chosen("code_level")}}[${LAST}]))`;
  const late = overdue(thresholds, `${NIGHTLY}, ${chosen("code_level")}`);
  const result = `last_over_time(nightly:k8sfv_test_result{${CHOSEN_TESTS}}[${LAST}])`;
  const missing = `last_over_time(nightly:k8sfv_test_result{${CHOSEN_TESTS}, ${NIGHTLY}}[${LAST}]) * 0 + ${MISSING}`;
  return [
    stat({
      id: 1,
      title: "Tests passing in the last nightly run",
      description:
        "Share of a code level's tests that passed in its last nightly run; no value if its run is overdue. " +
        `A test that ran in the last ${EXPECTED_DAYS} days and is missing counts as not passed.`,
      unit: "percentunit",
      width: 16,
      height: 4,
      steps: ["red", [1, "green"]],
      noValue: "no run",
      queries: [
        {
          expr: `${passing} / ${expected} unless on (code_level) (${overdue(thresholds, chosen("code_level"))})`,
          legend: "{{code_level}}",
        },
      ],
    }),
    stat({
      id: SUMMARY.lastRun,
      title: "Time since the last run",
      description:
        "Time since each code level's last run. Red: a run is overdue. Blue: developers' runs, which are never overdue.",
      unit: "s",
      width: 8,
      height: 4,
      steps: ["green"],
      noValue: `no run in ${EXPECTED_DAYS} d`,
      queries: [
        {
          expr: `${sinceLastRun} unless on (code_level) (${late})`,
          legend: "{{code_level}}",
        },
        { expr: late, legend: "{{code_level}}" },
      ],
    })
      .overrideByQuery("B", [{ id: "color", value: { mode: "fixed", fixedColor: "red" } }])
      .overrideByName("dev", [{ id: "color", value: { mode: "fixed", fixedColor: "blue" } }]),
    table({
      id: SUMMARY.results,
      title: "Last result of each test",
      description:
        "Result of each test in the last nightly run of its code level, and when the test ran. Missing and failed tests come first.",
      unit: "none",
      width: 24,
      height: 12,
      worst: "Result",
      queries: [
        {
          expr:
            `${result} and on (code_level, test_name) ${testsOfNight(LAST, `{${CHOSEN_TESTS}}`)} ` +
            `or ${missing} or ${result}`,
        },
        { expr: `1000 * last_over_time(nightly:k8sfv_test_push_time_seconds{${CHOSEN_TESTS}}[${LAST}])` },
      ],
      transformations: [
        { id: "merge", options: {} },
        columns({ test_name: "Test", code_level: "Code level", "Value #A": "Result", "Value #B": "When" }),
      ],
    })
      .overrideByName(
        "Result",
        coloredColumn([
          { id: "mappings", value: RESULT },
          { id: "custom.width", value: 110 },
        ]),
      )
      .overrideByName("Code level", [{ id: "custom.width", value: 380 }])
      .overrideByName("When", [
        { id: "unit", value: "dateTimeFromNow" },
        { id: "custom.width", value: 160 },
      ]),
  ];
}

function overTime() {
  return [
    timeSeries({
      id: SUMMARY.passing,
      title: "Tests passing",
      description:
        "Number of tests that passed, by code level. A point that represents several runs shows the lowest number.",
      unit: "none",
      width: 24,
      min: 0,
      minStep: "10m",
      spannedGapMs: SPANNED_GAP_MS,
      queries: [
        {
          expr: `sum by (code_level) (min_over_time(nightly:k8sfv_test_result{${CHOSEN_TESTS}}[$__interval]))`,
          legend: "{{code_level}}",
        },
      ],
    }),
    timeSeries({
      id: 5,
      title: "Mean occupancy",
      description:
        "Mean occupancy of the process in a test. A point that represents several runs shows their mean.",
      unit: "bytes",
      width: 12,
      minStep: "10m",
      spannedGapMs: SPANNED_GAP_MS,
      queries: [
        { expr: `avg_over_time(nightly:k8sfv_occupancy_mean_bytes{${CHOSEN}}[$__interval])`, legend: NAME },
      ],
    }),
    timeSeries({
      id: 6,
      title: "Increase of occupancy",
      description:
        "Growth of occupancy within a test, in percent. A point that represents several runs shows the maximum.",
      unit: "percent",
      width: 12,
      minStep: "10m",
      spannedGapMs: SPANNED_GAP_MS,
      queries: [
        {
          expr: `max_over_time(nightly:k8sfv_occupancy_increase_percent{${CHOSEN}}[$__interval])`,
          legend: NAME,
        },
      ],
    }),
  ];
}

/** Returns PromQL for the relative change of the mean from the median, which is recorded together with the mean. */
function change(days: number, window: string): string {
  const at = (series: string) => `last_over_time(${series}{${CHOSEN}}[${window}])`;
  return `${at("nightly:k8sfv_occupancy_mean_bytes")} / ${at(`nightly:k8sfv_occupancy_mean_bytes:median${days}d`)} - 1`;
}

function comparison({ occupancyGrowthPercent: percent }: SummaryThresholds) {
  const colored = coloredColumn([
    { id: "custom.width", value: 160 },
    { id: "unit", value: "percentunit" },
    { id: "decimals", value: 2 },
    {
      id: "thresholds",
      value: {
        mode: "absolute",
        steps: [
          { value: null, color: "green" },
          { value: percent / 200, color: "yellow" },
          { value: percent / 100, color: "red" },
        ],
      },
    },
  ]);
  return [
    table({
      id: 8,
      title: "Occupancy of the last run compared with earlier runs",
      description:
        "Mean occupancy of each test's last run, and its change against the median of the runs in the 7 and 30 days before. " +
        "A median needs at least 3 runs.",
      unit: "bytes",
      width: 24,
      height: 6,
      queries: [
        { expr: `last_over_time(nightly:k8sfv_occupancy_mean_bytes{${CHOSEN}}[${LAST}])` },
        { expr: change(7, LAST) },
        { expr: change(30, LAST) },
      ],
      transformations: [
        { id: "merge", options: {} },
        columns({
          test_name: "Test",
          code_level: "Code level",
          process: "Process",
          "Value #A": "Mean",
          "Value #B": "vs. 7 days",
          "Value #C": "vs. 30 days",
        }),
      ],
    })
      .overrideByName("Code level", [{ id: "custom.width", value: 380 }])
      .overrideByName("Process", [{ id: "custom.width", value: 110 }])
      .overrideByName("Mean", [{ id: "custom.width", value: 110 }])
      .overrideByName("vs. 7 days", colored)
      .overrideByName("vs. 30 days", colored),
    timeSeries({
      id: SUMMARY.change,
      title: "Occupancy compared with the median of the previous 7 days",
      description:
        "Difference between the mean occupancy of a run and the median of the runs in the 7 days before it.",
      unit: "percentunit",
      width: 24,
      minStep: "10m",
      spannedGapMs: SPANNED_GAP_MS,
      queries: [{ expr: change(7, "$__interval"), legend: NAME }],
    }),
  ];
}

/** Returns PromQL that turns the step "iteration7" into "07", so that steps are sorted by number. */
function byStep(series: string): string {
  const number = `label_replace(${series}, "step", "$1", "test_step", "[^0-9]*([0-9]+)")`;
  return `max by (step, code_level) (label_replace(${number}, "step", "0$1", "step", "([0-9])"))`;
}

function heap() {
  const chosenHeap = `${chosen("process")}, ${chosen("code_level")}, ${chosenTests("heap_test")}`;
  return [
    barChart({
      id: 9,
      title: "Heap at each step of the last run",
      description:
        "Heap of the process at each step of the selected test, in the last run of each code level.",
      unit: "bytes",
      width: 12,
      xField: "step\\code_level",
      queries: [{ expr: byStep(`last_over_time(nightly:k8sfv_heap_alloc_bytes{${chosenHeap}}[${LAST}])`) }],
      transformations: [
        {
          id: "groupingToMatrix",
          options: { columnField: "code_level", rowField: "step", valueField: "Value", emptyValue: "null" },
        },
        { id: "sortBy", options: { fields: {}, sort: [{ field: "step\\code_level" }] } },
      ],
    }),
    timeSeries({
      id: 10,
      title: "Heap by nightly run",
      description:
        "Minimum, mean and maximum of the heap over the steps of the selected test, for each run and code level.",
      unit: "bytes",
      width: 12,
      minStep: "10m",
      spannedGapMs: SPANNED_GAP_MS,
      queries: (["min", "avg", "max"] as const).map((what) => ({
        expr: `${what}_over_time(nightly:k8sfv_heap_alloc_bytes:${what}{${chosenHeap}}[$__interval])`,
        legend: `${what} · {{code_level}} · {{process}}`,
      })),
    }),
  ];
}

/** Returns a transformation that keeps only these columns, in this order and with these names. */
function columns(names: Record<string, string>): dashboard.DataTransformerConfig {
  const order = Object.keys(names);
  return {
    id: "organize",
    options: {
      excludeByName: { Time: true, job: true, __name__: true, process: !order.includes("process") },
      indexByName: Object.fromEntries(order.map((name, at) => [name, at])),
      renameByName: names,
    },
  };
}
