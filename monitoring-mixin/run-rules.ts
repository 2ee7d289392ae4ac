import { KEPT, PUSH_METRICS } from "./metrics.ts";
import type { RecordingRule } from "./recording-rules.ts";

/** Labels that say what a series measures. Runs are compared by these alone, whatever other labels a run adds. */
export const TEST = ["code_level", "test_name"];
export const PROCESS = [...TEST, "process"];
export const STEP = [...PROCESS, "test_step"];

/** Maximum age of a push that is recorded as a new run, in days. Less than `REMEMBERED`, so none is recorded twice. */
const NEWEST_DAYS = 30;
/**
 * Days that recording and alert rules look back at most, which the lookup of a group's last recorded push does:
 * Prometheus' local retention must not be shorter.
 */
export const LOOKBACK_DAYS = 60;
/** How far back a group's last recorded push is looked up. */
const REMEMBERED = `${LOOKBACK_DAYS}d`;
/** Maximum time from the first run of a nightly run to a later one that belongs to it, in hours. */
export const NIGHT_HOURS = 17;
/** Minimum time after which a whole run begins a nightly run of its own, for suites that run twice a day, in hours. */
export const SECOND_NIGHT_HOURS = 6;
/** Days after which a test or code level that doesn't run any more is no longer expected. */
export const EXPECTED_DAYS = 7;
/** Days of runs that a median is taken over. */
export const MEDIAN_DAYS = [7, 30];
/** Minimum number of earlier runs for a median: fewer don't show what is usual. */
export const MEDIAN_MIN_RUNS = 3;
/** One evaluation earlier: what the current evaluation records is left out. */
const BEFORE = "offset 1m";

/**
 * Recording rules of runs, in the order of their evaluation: each reads what those before it recorded.
 *
 * **`run:` series have one sample per run.** The Pushgateway shows a group until its next push, and each scrape stores
 * it again, so the scraped samples don't say how many runs there were. `run:push_time_seconds` has a sample only in
 * the evaluation that finds a group's push time changed, and a run's values are recorded in the same evaluation. It
 * reads nothing but the group's own push time: groups don't affect each other, and a Prometheus that was down
 * records the run when it is back, as long as the gateway still shows it.
 *
 * **`nightly:` series say what the runs of a code level in a night amount to.** All runs within 17 hours after the first
 * belong to one nightly run. Shards add their tests. A second whole run counts together with the first: the worse
 * result and the higher occupancy. A run with fewer tests than the nightly run has so far is a rerun, and replaces
 * the results of its tests.
 *
 * tools/backfill/runs.ts computes the same for older runs.
 */
export function runRules(): RecordingRule[] {
  return [
    {
      // The push time is 0 in a group whose first push failed.
      record: "run:push_time_seconds",
      expr:
        `(push_time_seconds{${JOB}} > 0) > (time() - ${NEWEST_DAYS * 86400}) ` +
        `unless (push_time_seconds{${JOB}} == last_over_time(run:push_time_seconds[${REMEMBERED}]))`,
    },
    ...KEPT.map((metric) => ({
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
 * PromQL: for each series of a metric whose group has a new push, the time of that push.
 *
 * A group's labels are on each of its series and on its `push_time_seconds`, and the client chooses them. So series and
 * push time match by all labels but those that say what is measured; the code level can be either. A series with more
 * labels than these matches no push time that way: it belongs to the group of its code level if there is one,
 * else to any group without.
 *
 * @param match - label matchers of the runs' job
 * @param pushed - returns PromQL: the new push times of groups whose code level matches this matcher
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
 * PromQL: the push time of each series of a metric that the current evaluation records. A POST leaves the metrics that it
 * doesn't have from earlier pushes: the push proxy names them, and they are not recorded again.
 */
function recorded(metric: string): string {
  const stale = `${PUSH_METRICS.staleFamily}{${JOB}, family="${metric}"}`;
  return pushTimeOf(
    metric,
    JOB,
    (level) => `run:push_time_seconds{${level}} unless ignoring (family) ${stale}`,
  );
}

/** PromQL: tests of the current nightly run of each code level, with the time of their last push. */
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
