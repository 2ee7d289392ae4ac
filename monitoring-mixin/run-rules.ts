import { RECORDED_METRICS, PUSH_METRICS } from "./metrics.ts";

/** A recording rule: the name of the recorded series and its PromQL expression. */
export interface RecordingRule {
  record: string;
  expr: string;
}

/** Labels that identify a measurement. Runs are compared by these labels only; other labels are ignored. */
export const TEST = ["code_level", "test_name"];
export const PROCESS = [...TEST, "process"];
export const STEP = [...PROCESS, "test_step"];

/**
 * Maximum age in days of a push that is recorded as a new run. Must be less than {@link LOOKBACK_DAYS}: the Pushgateway
 * keeps exposing a push, but the rule finds its own record of the push only for LOOKBACK_DAYS. With a larger maximum
 * age, it would record the push again.
 */
const NEWEST_DAYS = 30;
/**
 * Maximum lookback of recording and alert rules in days: the rules look back this far for a group's last recorded
 * push. Prometheus's local retention must not be shorter.
 */
export const LOOKBACK_DAYS = 60;
/** Lookback window for a group's last recorded push. */
const LOOKBACK = `${LOOKBACK_DAYS}d`;
/** Duration of a nightly run in hours: CI runs within this time after the first one belong to the same nightly run. */
export const NIGHT_HOURS = 17;
/**
 * Minimum time in hours between the starts of two nightly runs, for suites that run twice a day. A complete CI run
 * (with at least as many tests as the current nightly run) starts a new nightly run only after that time. Before, it
 * belongs to the current nightly run.
 */
export const SECOND_NIGHT_HOURS = 6;
/** Days for which a test or code level is still expected after its last run. */
export const EXPECTED_DAYS = 7;
/** Days before a nightly run over which the medians of its occupancy are calculated. */
export const MEDIAN_DAYS = [7, 30];
/** Minimum number of earlier runs for a median. Fewer are not representative. */
export const MEDIAN_MIN_RUNS = 3;
/** PromQL modifier that excludes samples of the current evaluation. */
const BEFORE = "offset 1m";

/**
 * Returns the recording rules of runs. Each rule reads results of the rules before it.
 *
 * **`run:` series have one sample per run.** The Pushgateway exposes a group until its next push, and each scrape
 * stores it again, so scraped samples don't show how many runs there were. `run:push_time_seconds` gets a sample only
 * in an evaluation in which a group's push time has changed, and the same evaluation records the run's values. The rule
 * reads only the group's own push time: groups don't affect each other, and after a downtime Prometheus still records
 * the run if the Pushgateway still exposes it.
 *
 * **`nightly:` series combine the runs of a code level in a night.** A run is complete if it has at least as many tests
 * as the nightly run has so far; otherwise it is a rerun. Runs within 17 hours after a nightly run's first run belong
 * to it. An exception is a complete run at least 6 hours after that first run: it starts a new nightly run. Tests that
 * the nightly run does not have yet, e.g. those of another shard, are added. For tests that it has, a complete run
 * keeps the worse result and the higher occupancy, and a rerun replaces the earlier values.
 *
 * tools/backfill/ computes the same series for runs that another Prometheus scraped.
 */
export function runRules(): RecordingRule[] {
  return [
    {
      // The push time of a group whose first push failed is 0.
      record: "run:push_time_seconds",
      expr:
        `(push_time_seconds{${JOB}} > 0) > (time() - ${NEWEST_DAYS * 86400}) ` +
        `unless (push_time_seconds{${JOB}} == last_over_time(run:push_time_seconds[${LOOKBACK}]))`,
    },
    ...RECORDED_METRICS.map((metric) => ({
      record: `run:${metric}`,
      expr: `${metric}{${JOB}} and (${recorded(metric)})`,
    })),
    { record: "run:k8sfv_test_push_time_seconds", expr: recorded("k8sfv_test_result") },
    ...nightlyRules(),
  ];
}

const NO_LEVEL = 'code_level=""';
const ANY_LEVEL = 'code_level!=""';
const JOB = 'job="k8sfv"';

/**
 * Returns PromQL for the push time of each series of a metric, if the series' group has a new push.
 *
 * The client chooses the labels of a group. The Pushgateway sets them on all series of the group and on its
 * `push_time_seconds`. A series can also have labels that its group lacks: those that identify a measurement ({@link
 * STEP}). The expression ignores them when it matches a series with its push time, but compares the code level if the
 * group has one.
 *
 * A series that has another label that its group lacks matches no push time. For such a series the expression returns
 * the latest new push time of all groups with the series' code level or, if no group has it, of all groups without a
 * code level.
 *
 * @param match - label matchers of the runs' job
 * @param pushed - returns PromQL for the new push times of groups whose code level matches this matcher
 */
export function pushTimeOf(metric: string, match: string, pushed: (level: string) => string): string {
  const measured = STEP.join(", ");
  const measuredInLevel = STEP.filter((label) => label !== "code_level").join(", ");
  const groups = (level: string) => `push_time_seconds{${match}, ${level}}`;
  const zero = `(${metric}{${match}} == bool 0) * 0`;
  const others =
    `(${zero} unless ignoring (${measured}) ${groups(NO_LEVEL)} ` +
    `unless ignoring (${measuredInLevel}) ${groups(ANY_LEVEL)})`;
  return [
    `${zero} + ignoring (${measured}) group_left () max without (${measured}) (${pushed(NO_LEVEL)})`,
    `${zero} + ignoring (${measuredInLevel}) group_left () max without (${measuredInLevel}) (${pushed(ANY_LEVEL)})`,
    `${others} + on (job, code_level) group_left () max by (job, code_level) (${pushed(ANY_LEVEL)})`,
    `(${others} unless on (job, code_level) ${groups(ANY_LEVEL)}) + on (job) group_left () max by (job) (${pushed(NO_LEVEL)})`,
  ].join(" or ");
}

/**
 * Returns PromQL for the push time of each series of the metric, if the series' group has a new push. Excludes groups
 * whose last POST didn't contain the metric: there the series are from an earlier push, which is already recorded. The
 * push proxy marks such groups with the metric `staleFamily`.
 */
function recorded(metric: string): string {
  const stale = `${PUSH_METRICS.staleFamily}{${JOB}, family="${metric}"}`;
  return pushTimeOf(
    metric,
    JOB,
    (level) => `run:push_time_seconds{${level}} unless ignoring (family) ${stale}`,
  );
}

/** Returns PromQL for the tests of each code level's current nightly run, with the time of their last push. */
export function testsOfNight(window: string, selector = "", offset = ""): string {
  const times = `last_over_time(nightly:k8sfv_test_push_time_seconds${selector}[${window}]${offset})`;
  return `(${times} >= on (code_level) group_left () last_over_time(nightly:start_time_seconds[${EXPECTED_DAYS}d]))`;
}

function nightlyRules(): RecordingRule[] {
  const pushed = `max by (code_level) (run:k8sfv_test_push_time_seconds)`;
  const sinceStart = `(${pushed} - last_over_time(nightly:start_time_seconds[${EXPECTED_DAYS}d]))`;
  const tests = `count by (code_level) (max by (${TEST.join(", ")}) (run:k8sfv_test_push_time_seconds))`;
  const earlier = testsOfNight("1d", "", ` ${BEFORE}`);
  const testsBefore = `count by (code_level) ${earlier}`;
  const result = `min by (${TEST.join(", ")}) (run:k8sfv_test_result == bool 1)`;
  const occupancy = `max by (${PROCESS.join(", ")}) (run:k8sfv_occupancy_mean_bytes > 0 < Inf)`;
  const inRerun = "and on (code_level) run:rerun";
  const previous = (name: string) =>
    `(last_over_time(${name}[1d] ${BEFORE}) and on (${TEST.join(", ")}) ${earlier})`;
  return [
    {
      record: "nightly:start_time_seconds",
      expr:
        `${pushed} unless (${sinceStart} < ${NIGHT_HOURS * 3600} ` +
        `unless (${sinceStart} >= ${SECOND_NIGHT_HOURS * 3600} and ${tests} >= ${testsBefore}))`,
    },
    { record: "run:rerun", expr: `${tests} < bool ${testsBefore} > 0` },
    {
      record: "nightly:k8sfv_test_result",
      expr: `${result} ${inRerun} or ${result} * ${previous("nightly:k8sfv_test_result")} or ${result}`,
    },
    {
      record: "nightly:k8sfv_test_push_time_seconds",
      expr: `max by (${TEST.join(", ")}) (run:k8sfv_test_push_time_seconds)`,
    },
    {
      record: "nightly:k8sfv_occupancy_mean_bytes",
      expr:
        `${occupancy} ${inRerun} or ` +
        `(${previous("nightly:k8sfv_occupancy_mean_bytes")} > ${occupancy}) or ${occupancy}`,
    },
    ...MEDIAN_DAYS.map((days) => {
      const before = `(nightly:k8sfv_occupancy_mean_bytes[${days}d12h] ${BEFORE})`;
      return {
        record: `nightly:k8sfv_occupancy_mean_bytes:median${days}d`,
        expr:
          `quantile_over_time(0.5, ${before.slice(1, -1)}) and nightly:k8sfv_occupancy_mean_bytes ` +
          `and count_over_time${before} >= ${MEDIAN_MIN_RUNS}`,
      };
    }),
    {
      record: "nightly:k8sfv_occupancy_increase_percent",
      expr: `max by (${PROCESS.join(", ")}) (run:k8sfv_occupancy_increase_percent > -Inf < Inf)`,
    },
    {
      record: "nightly:k8sfv_heap_alloc_bytes",
      expr: `max by (${STEP.join(", ")}) (run:k8sfv_heap_alloc_bytes >= 0 < Inf)`,
    },
    ...(["min", "avg", "max"] as const).map((operation) => ({
      record: `nightly:k8sfv_heap_alloc_bytes:${operation}`,
      expr: `${operation} without (test_step) (nightly:k8sfv_heap_alloc_bytes)`,
    })),
  ];
}
