import { SUMMARY } from "./panel-ids.ts";
import { barChart, coloredColumn, table, timeSeries } from "./panels.ts";
import { CHOSEN, columns, LAST, NAME, SPANNED_GAP_MS } from "./summary-selection.ts";
import { chosen, chosenTests } from "./variables.ts";

/**
 * Returns the panels about Felix's memory occupancy and heap.
 *
 * @param growthPercent - increase of the mean occupancy, in percent, at which the comparison turns red
 */
export function occupancy(growthPercent: number) {
  return [...overTime(), ...comparison(growthPercent), ...heap()];
}

function overTime() {
  return [
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

/**
 * Returns PromQL for the relative difference between a run's mean and the median of the runs before it.
 *
 * @param days - length of the period before the run, in days, over which the median is recorded: 7 or 30
 * @param window - lookback for the run, e.g. "7d"
 */
function change(days: number, window: string): string {
  const at = (series: string) => `last_over_time(${series}{${CHOSEN}}[${window}])`;
  return `${at("nightly:k8sfv_occupancy_mean_bytes")} / ${at(`nightly:k8sfv_occupancy_mean_bytes:median${days}d`)} - 1`;
}

function comparison(growthPercent: number) {
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
          { value: growthPercent / 200, color: "yellow" },
          { value: growthPercent / 100, color: "red" },
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

/** Returns PromQL that adds the label `step`, e.g. "07" for the test step "iteration7", by which steps are sorted. */
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
