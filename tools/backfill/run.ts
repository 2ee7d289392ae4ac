import type { Labels } from "./recording.ts";

/**
 * Results that one evaluation of the recording rules would have recorded. Usually one group of the Pushgateway was
 * pushed in the minute before the evaluation, but there can be several.
 */
export interface Run {
  /** Unix time of the evaluation in seconds, at the start of a minute. */
  at: number;
  /** Push time of each group as a Unix time in seconds, with the group's labels. */
  pushes: Value[];
  /**
   * Values by metric name. The metrics are `RECORDED_METRICS` and `k8sfv_test_push_time_seconds`, which has a value for
   * each test.
   */
  metrics: Map<string, Value[]>;
}

/** A series' value in a run. */
export interface Value {
  labels: Labels;
  value: number;
}
