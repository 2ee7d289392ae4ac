import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import { NIGHTLY } from "../metrics.ts";
import { EXPECTED_DAYS, testsOfNight } from "../run-rules.ts";
import { overdue, type Schedule } from "../schedule.ts";
import { SUMMARY } from "./panel-ids.ts";
import { coloredColumn, stat, table, timeSeries } from "./panels.ts";
import { CHOSEN_TESTS, columns, LAST, SPANNED_GAP_MS } from "./summary-selection.ts";
import { chosen } from "./variables.ts";

/** Value of a missing result, which sorts before 0 and 1. */
const MISSING = -1;

/** Mappings of test results: 1 is a pass. */
const RESULT: dashboard.ValueMapping[] = [
  {
    type: dashboard.MappingType.ValueToText,
    options: {
      [MISSING]: { text: "missing", color: "orange" },
      0: { text: "fail", color: "red" },
      1: { text: "pass", color: "green" },
    },
  },
];

/** Returns the panels about the results of tests: those of the last nightly run, and the number that passed over time. */
export function results(thresholds: Schedule) {
  return [...lastNight(thresholds), passingTests()];
}

function lastNight(thresholds: Schedule) {
  const inNight = testsOfNight(LAST, `{${CHOSEN_TESTS}}`);
  const passing =
    `sum by (code_level) (last_over_time(nightly:k8sfv_test_result{${CHOSEN_TESTS}}[${LAST}]) ` +
    `and on (code_level, test_name) ${inNight})`;
  // Counts all tests of the last EXPECTED_DAYS days, so that a missing test lowers the share of passed tests. For
  // developers' runs, counts only the tests of the last run.
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

function passingTests() {
  return timeSeries({
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
  });
}
