import { MEDIAN_DAYS } from "../../monitoring-mixin/run-rules.ts";
import { recordNightly } from "./nightly.ts";
import { Recording } from "./recording.ts";
import type { Run } from "./run.ts";

const PUSH_TIME = "run:push_time_seconds";

const DAY = 24 * 3600;
/**
 * Maximum lookback of the medians in seconds. A median over N days has a window of N days and 12 hours, which is
 * rounded up to N + 1 days.
 */
export const SECONDS_BEFORE = (Math.max(...MEDIAN_DAYS) + 1) * DAY;

/** Records the runs as the recording rules would. The runs must be in order of time. */
export function record(runs: Run[]): Recording {
  const recording = new Recording();
  for (const run of runs) {
    for (const { labels, value } of run.pushes) recording.add(PUSH_TIME, labels, { at: run.at, value });
    for (const [metric, values] of run.metrics) {
      for (const { labels, value } of values) recording.add(`run:${metric}`, labels, { at: run.at, value });
    }
    recordNightly(recording, run);
  }
  return recording;
}

/** Returns a line for each code level: number of runs and their time range. */
export function summary(runs: Run[]): string[] {
  const levels = new Map<string, number[]>();
  for (const run of runs) {
    const names = (run.metrics.get("k8sfv_test_result") ?? []).map(
      ({ labels }) => labels.code_level ?? "no code level",
    );
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

/** Formats a Unix time in seconds as a date. */
export function day(at = 0): string {
  return new Date(at * 1000).toISOString().slice(0, 10);
}
