import {
  EXPECTED_DAYS,
  MEDIAN_DAYS,
  MEDIAN_MIN_RUNS,
  NIGHT_HOURS,
  PROCESS,
  SECOND_NIGHT_HOURS,
  STEP,
  TEST,
} from "../../monitoring-mixin/run-rules.ts";
import type { Labels, Recording } from "./recording.ts";
import type { Run, Value } from "./run.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;
/** Interval between rule evaluations in seconds. The rules read the previous evaluation's results with `offset 1m`. */
const EVALUATION = 60;
const LEVEL = ["code_level"];

const START = "nightly:start_time_seconds";
const TIME = "nightly:k8sfv_test_push_time_seconds";
const RESULT = "nightly:k8sfv_test_result";
const OCCUPANCY = "nightly:k8sfv_occupancy_mean_bytes";
const HEAP = "nightly:k8sfv_heap_alloc_bytes";

/**
 * Computes a run's `nightly:` series like the recording rules in monitoring-mixin/run-rules.ts, in the order of the
 * rules. The runs must be recorded in order of time.
 */
export function recordNightly(recording: Recording, run: Run): void {
  const { at } = run;
  const add = (name: string, values: Value[]) => {
    for (const { labels, value } of values) recording.add(name, labels, { at, value });
  };
  const times = aggregate(run.metrics.get("k8sfv_test_push_time_seconds"), TEST, Math.max);
  const tests = aggregate(times, LEVEL, count);
  const pushed = aggregate(times, LEVEL, Math.max);
  const testsBefore = (): Value[] => aggregate(testsOfNight(recording, at), LEVEL, count);

  const starts = recording.last(START, at, EXPECTED_DAYS * DAY);
  const before = testsBefore();
  add(
    START,
    pushed.filter(({ labels, value }) => {
      const since = value - (find(starts, labels) ?? -Infinity);
      const isWhole = (find(tests, labels) ?? 0) >= (find(before, labels) ?? Infinity);
      return since >= NIGHT_HOURS * HOUR || (since >= SECOND_NIGHT_HOURS * HOUR && isWhole);
    }),
  );

  const soFar = testsBefore();
  const reruns = tests
    .filter(({ labels, value }) => value < (find(soFar, labels) ?? 0))
    .map((value) => ({ ...value, value: 1 }));
  add("run:rerun", reruns);

  const isRerun = (labels: Labels) => find(reruns, pick(labels, LEVEL)) !== undefined;
  const current = testsOfNight(recording, at);
  const previous = (name: string) =>
    recording
      .last(name, at - EVALUATION, DAY)
      .filter(({ labels }) => find(current, pick(labels, TEST)) !== undefined);
  /**
   * Combines each value with the previous value of the same series in the same nightly run. Returns a value unchanged
   * if there is no previous value, or if the code level's run is a rerun.
   */
  const combined = (values: Value[], name: string, combine: (...values: number[]) => number): Value[] => {
    const earlier = previous(name);
    return values.map(({ labels, value }) => ({
      labels,
      value: isRerun(labels) ? value : combine(value, find(earlier, labels) ?? value),
    }));
  };

  const results = (run.metrics.get("k8sfv_test_result") ?? []).map(({ labels, value }) => ({
    labels,
    value: value === 1 ? 1 : 0,
  }));
  add(RESULT, combined(aggregate(results, TEST, Math.min), RESULT, Math.min));
  add(TIME, times);

  const measured = (metric: string, is: (value: number) => boolean, labels: string[]): Value[] =>
    aggregate(
      run.metrics.get(metric)?.filter(({ value }) => Number.isFinite(value) && is(value)),
      labels,
      Math.max,
    );
  const occupancy = combined(
    measured("k8sfv_occupancy_mean_bytes", (value) => value > 0, PROCESS),
    OCCUPANCY,
    Math.max,
  );
  add(OCCUPANCY, occupancy);
  for (const days of MEDIAN_DAYS) add(`${OCCUPANCY}:median${days}d`, medians(recording, occupancy, at, days));
  add(
    "nightly:k8sfv_occupancy_increase_percent",
    measured("k8sfv_occupancy_increase_percent", () => true, PROCESS),
  );
  const heap = measured("k8sfv_heap_alloc_bytes", (value) => value >= 0, STEP);
  add(HEAP, heap);
  add(`${HEAP}:min`, aggregate(heap, PROCESS, Math.min));
  add(`${HEAP}:avg`, aggregate(heap, PROCESS, mean));
  add(`${HEAP}:max`, aggregate(heap, PROCESS, Math.max));
}

/**
 * Returns the tests of each code level's nightly run that is current at `at`, each with its push time as value. As in
 * the rules, only push times that an earlier evaluation recorded count.
 */
function testsOfNight(recording: Recording, at: number): Value[] {
  const starts = recording.last(START, at, EXPECTED_DAYS * DAY);
  return recording
    .last(TIME, at - EVALUATION, DAY)
    .filter(({ labels, value }) => value >= (find(starts, pick(labels, LEVEL)) ?? Infinity));
}

function medians(recording: Recording, values: Value[], at: number, days: number): Value[] {
  const until = at - EVALUATION;
  return values.flatMap(({ labels }) => {
    const before = recording.within(OCCUPANCY, labels, until - days * DAY - 12 * HOUR, until);
    if (before.length < MEDIAN_MIN_RUNS) return [];
    return [{ labels, value: median(before.map(({ value }) => value)) }];
  });
}

/** Computes the median like quantile_over_time(0.5). */
function median(values: number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = (sorted.length - 1) / 2;
  const [low = NaN, high = NaN] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return low === high ? low : low * 0.5 + high * 0.5;
}

function mean(...values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function count(...values: number[]): number {
  return values.length;
}

/** Aggregates like PromQL's `operation by (labels)`. */
function aggregate(
  values: Value[] = [],
  labels: string[],
  operation: (...values: number[]) => number,
): Value[] {
  const groups = new Map<string, { labels: Labels; values: number[] }>();
  for (const value of values) {
    const picked = pick(value.labels, labels);
    const group = groups.get(JSON.stringify(picked)) ?? { labels: picked, values: [] };
    groups.set(JSON.stringify(picked), group);
    group.values.push(value.value);
  }
  return [...groups.values()].map((group) => ({ labels: group.labels, value: operation(...group.values) }));
}

/** Returns the labels with these names, in this order. As in PromQL, missing labels are omitted. */
function pick(labels: Labels, names: string[]): Labels {
  return Object.fromEntries(
    names.flatMap((name) => (labels[name] === undefined ? [] : [[name, labels[name]]])),
  );
}

function find(values: Value[], labels: Labels): number | undefined {
  const isSame = (other: Labels) =>
    Object.keys(other).length === Object.keys(labels).length &&
    Object.entries(labels).every(([name, value]) => other[name] === value);
  return values.find((value) => isSame(value.labels))?.value;
}
