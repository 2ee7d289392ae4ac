import { MEDIAN_DAYS } from "../../monitoring-mixin/run-rules.ts";
import { recordNightly } from "./nightly.ts";
import type { Labels } from "./recording.ts";
import { Recording } from "./recording.ts";

const PUSH_TIME = "run:push_time_seconds";

/** Runs that the rules would have recorded in one evaluation: one, or one of each group that was pushed in that minute. */
export interface Run {
  /** Time of the evaluation, in seconds: a full minute. */
  at: number;
  /** Push time of each group in seconds, with the group's labels. */
  pushes: Value[];
  /** Values by metric: those of `KEPT`, and `k8sfv_test_push_time_seconds` for each test. */
  metrics: Map<string, Value[]>;
}

/** A series of a run. */
export interface Value {
  labels: Labels;
  value: number;
}

const DAY = 24 * 3600;
/** Maximum time that the rules look back from a run, and a day more, in seconds. */
export const SECONDS_BEFORE = (Math.max(...MEDIAN_DAYS) + 1) * DAY;

/** Records what the recording rules would have recorded of these runs, which are in the order of time. */
export function record(runs: Run[]): Recording {
  const kept = new Recording();
  for (const run of runs) {
    for (const { labels, value } of run.pushes) kept.add(PUSH_TIME, labels, { at: run.at, value });
    for (const [metric, values] of run.metrics) {
      for (const { labels, value } of values) kept.add(`run:${metric}`, labels, { at: run.at, value });
    }
    recordNightly(kept, run);
  }
  return kept;
}

/** For people: which code levels ran how often, and from when to when. */
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

/** A moment in seconds, for people. */
export function day(at = 0): string {
  return new Date(at * 1000).toISOString().slice(0, 10);
}
