import { KEPT } from "../../monitoring-mixin/metrics.ts";
import { MEDIANS } from "../../monitoring-mixin/recording-rules.ts";
import type { Labels } from "./recording.ts";
import { Recording } from "./recording.ts";

/** What was shown of a run at the moment at which the rules would have kept it. */
export interface Run {
  /** That moment, in seconds: a full minute. */
  at: number;
  /** When the gateway took it, as the gateway said, in seconds. */
  pushed: number;
  /** The metrics that are kept, by their names. */
  metrics: Map<string, Value[]>;
}

/** A series of a run. */
export interface Value {
  labels: Labels;
  value: number;
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 24 * HOUR;
/** The rules look at what was a minute before, so that they don't see the run itself. */
const OFFSET = MINUTE;
/** How far back a test may have run that is missing now. */
const MISSING = 36 * HOUR;
/** How far back before a run the rules look, and a little more. */
export const SECONDS_BEFORE = (Math.max(...MEDIANS) + 1) * DAY;

/**
 * What the recording rules would have kept of these runs, which are in the order of time. It follows
 * recordingGroups() rule by rule: a rule that changes there changes here.
 */
export function record(runs: Run[]): Recording {
  const kept = new Recording();
  for (const run of runs) {
    kept.add("run:push_time_seconds", {}, { at: run.at, value: run.pushed });
    for (const metric of KEPT) addAll(kept, `run:${metric}`, run.at, of(run, metric));
    recordHeap(kept, run);
    // As the rule does it: a result that is no number gives a time that is none.
    const pushes = of(run, "k8sfv_test_result").map(({ labels, value }) => ({
      labels,
      value: value * 0 + run.pushed,
    }));
    addAll(kept, "run:k8sfv_test_push_time_seconds", run.at, pushes);
    for (const days of MEDIANS) recordMedian(kept, run, days);
    recordMissing(kept, run);
  }
  return kept;
}

function of(run: Run, metric: string): Value[] {
  return run.metrics.get(metric) ?? [];
}

function addAll(kept: Recording, name: string, at: number, values: Value[]): void {
  for (const { labels, value } of values) kept.add(name, labels, { at, value });
}

function recordHeap(kept: Recording, run: Run): void {
  const name = "run:k8sfv_heap_alloc_bytes";
  const steps = new Map<string, { labels: Labels; values: number[] }>();
  for (const { labels, value } of of(run, "k8sfv_heap_alloc_bytes")) {
    const without = Object.fromEntries(Object.entries(labels).filter(([label]) => label !== "test_step"));
    const key = JSON.stringify(without);
    const group = steps.get(key) ?? { labels: without, values: [] };
    group.values.push(value);
    steps.set(key, group);
  }
  for (const { labels, values } of steps.values()) {
    const sorted = values.toSorted(ascending);
    // What is no number counts only where there is nothing else.
    const numbers = sorted.filter((value) => !Number.isNaN(value));
    kept.add(`${name}:min`, labels, { at: run.at, value: numbers[0] ?? NaN });
    // Bytes are whole, so their sum is the same in every order.
    const sum = values.reduce((before, value) => before + value, 0);
    kept.add(`${name}:avg`, labels, { at: run.at, value: sum / values.length });
    kept.add(`${name}:max`, labels, { at: run.at, value: numbers.at(-1) ?? NaN });
  }
}

function recordMedian(kept: Recording, run: Run, days: number): void {
  const name = "run:k8sfv_occupancy_mean_bytes";
  const before = run.at - OFFSET;
  for (const { labels } of of(run, "k8sfv_occupancy_mean_bytes")) {
    const samples = kept.within(name, labels, before - days * DAY - 12 * HOUR, before);
    const value = median(samples.map((sample) => sample.value));
    if (value !== undefined) kept.add(`${name}:median${days}`, labels, { at: run.at, value });
  }
}

/** 0 for each result of the run; 1 for each that its code level had before and has no more. */
function recordMissing(kept: Recording, run: Run): void {
  const results = of(run, "k8sfv_test_result");
  const here = results.map(({ labels, value }) => ({ labels, value: value * 0 }));
  addAll(kept, "run:k8sfv_test_missing", run.at, here);
  const levels = new Set(results.map(({ labels }) => labels.code_level));
  for (const { labels, samples } of kept.family("run:k8sfv_test_result")) {
    const last = samples.findLast(({ at }) => at <= run.at - OFFSET);
    if (samples.at(-1)?.at === run.at || !levels.has(labels.code_level) || last === undefined) continue;
    if (last.at <= run.at - OFFSET - MISSING) continue;
    kept.add("run:k8sfv_test_missing", labels, { at: run.at, value: last.value * 0 + 1 });
  }
}

/** As quantile_over_time(0.5) reckons it. */
function median(values: number[]): number | undefined {
  const sorted = values.toSorted(ascending);
  const middle = (sorted.length - 1) / 2;
  const [low, high] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  if (low === undefined || high === undefined) return undefined;
  return low === high ? low : low * 0.5 + high * 0.5;
}

/** Like Prometheus, it puts first what is no number. */
function ascending(one: number, other: number): number {
  if (Number.isNaN(one)) return Number.isNaN(other) ? 0 : -1;
  if (Number.isNaN(other)) return 1;
  return one - other;
}

/** For people: which code levels ran how often, and from when to when. */
export function summary(runs: Run[]): string[] {
  const levels = new Map<string, number[]>();
  for (const run of runs) {
    const names = of(run, "k8sfv_test_result").map(({ labels }) => labels.code_level ?? "no code level");
    for (const name of names.length === 0 ? ["no result"] : new Set(names)) {
      levels.set(name, [...(levels.get(name) ?? []), run.at]);
    }
  }
  const lines = [...levels].map(
    ([name, times]) =>
      `${name}: ${times.length} ${times.length === 1 ? "run" : "runs"}, from ${day(times[0])} to ${day(times.at(-1))}`,
  );
  return lines.toSorted();
}

/** A moment in seconds, for people. */
export function day(at = 0): string {
  return new Date(at * 1000).toISOString().slice(0, 10);
}
