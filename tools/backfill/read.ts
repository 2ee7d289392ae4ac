import { RECORDED_METRICS } from "../../monitoring-mixin/metrics.ts";
import { pushTimeOf } from "../../monitoring-mixin/run-rules.ts";
import type { Prometheus } from "./prometheus.ts";
import { numberOf } from "./prometheus.ts";
import type { Labels } from "./recording.ts";
import type { Run, Value } from "./run.ts";

/** Selection of runs. */
export interface RunSelection {
  /** PromQL label matchers of the runs' series, e.g. `job="k8sfv"`. */
  match: string;
  /** Start and end as Unix time in seconds. */
  from: number;
  until: number;
}

/** Job label of the recorded series, which the rules, dashboards and alerts expect. */
const JOB = "k8sfv";
/**
 * Labels that the source Prometheus server adds to scraped series. The backfill removes them and sets the label `job`
 * to JOB.
 */
const SCRAPED = ["job", "exported_job", "instance", "pod", "container", "endpoint", "namespace", "service"];
const MINUTE = 60;
/** Query range in seconds. A week has 10,080 minutes; Prometheus returns at most 11,000 points per series. */
const WEEK = 7 * 24 * 60 * MINUTE;
/** Maximum number of concurrent queries, to limit the load on the Prometheus from which the runs are read. */
const AT_A_TIME = 4;

/** Reads the runs in order of time. */
export async function readRuns(
  prometheus: Prometheus,
  wanted: RunSelection,
  report: (line: string) => void,
): Promise<Run[]> {
  const pushes = await findPushes(prometheus, wanted);
  report(`runs found: ${pushes.length}`);
  const runs: Run[] = [];
  for (let n = 0; n < pushes.length; n += AT_A_TIME) {
    if (n > 0 && n % 500 === 0) report(`${n} of ${pushes.length} runs read`);
    const some = pushes.slice(n, n + AT_A_TIME);
    runs.push(...(await Promise.all(some.map((push) => readRun(prometheus, wanted.match, push)))));
  }
  return runs;
}

/** Pushes that became visible in the same full minute `at` (Unix time in s). */
interface Pushes {
  at: number;
  /** Label set of each pushed group, and its push time as the string in Prometheus's response. */
  groups: { metric: Labels; time: string }[];
}

/**
 * Finds each group's pushes. The time of a push is the first full minute at which the push was visible: the rules would
 * have recorded the push at about this time. If an earlier push becomes visible again after a later one, it is not
 * counted again.
 */
async function findPushes(prometheus: Prometheus, wanted: RunSelection): Promise<Pushes[]> {
  const seen = new Set<string>();
  const found = new Map<number, Pushes>();
  for (const end of await weeksWithPushes(prometheus, wanted)) {
    const last = Math.min(end, wanted.until);
    for (const { metric, values } of await prometheus.queryRange(
      pushTimes(wanted),
      end - WEEK + MINUTE,
      last,
      MINUTE,
    )) {
      for (const [at, time] of values) {
        const key = JSON.stringify([labelsOf(metric), time]);
        // The push time is 0 in a group whose first push failed.
        if (seen.has(key) || numberOf(time) <= 0) continue;
        seen.add(key);
        const pushes = found.get(at) ?? { at, groups: [] };
        found.set(at, pushes);
        pushes.groups.push({ metric, time });
      }
    }
  }
  return [...found.values()].toSorted((one, other) => one.at - other.at);
}

/** Returns the PromQL expression for push times. */
export function pushTimes({ match }: Pick<RunSelection, "match">): string {
  return `push_time_seconds{${match}}`;
}

/**
 * Returns the end of each week that has pushes, in Unix seconds. Only these weeks are then queried minute by minute.
 */
async function weeksWithPushes(prometheus: Prometheus, wanted: RunSelection): Promise<number[]> {
  const start = Math.ceil(wanted.from / MINUTE) * MINUTE;
  const counts = await prometheus.queryRange(
    `sum(count_over_time(${pushTimes(wanted)}[1w]))`,
    start + WEEK,
    wanted.until + WEEK - MINUTE,
    WEEK,
  );
  return (counts[0]?.values ?? []).map(([at]) => at);
}

async function readRun(prometheus: Prometheus, match: string, { at, groups }: Pushes): Promise<Run> {
  const pushed = (level: string) =>
    groups
      .map(({ metric, time }) => `push_time_seconds{${[...matchersOf(metric), level].join(", ")}} == ${time}`)
      .join(" or ");
  const metrics = new Map<string, Value[]>();
  const readMetric = async (name: string, expr: string) => {
    const results = await prometheus.query(`max without (${SCRAPED.join(", ")}) (${expr})`, at);
    const values = results.map(({ metric, value }) => ({
      labels: labelsOf(metric),
      value: numberOf(value[1]),
    }));
    if (values.length > 0) metrics.set(name, values);
  };
  for (const metric of RECORDED_METRICS) {
    await readMetric(metric, `${metric}{${match}} and (${pushTimeOf(metric, match, pushed)})`);
  }
  await readMetric("k8sfv_test_push_time_seconds", pushTimeOf("k8sfv_test_result", match, pushed));
  const pushes = groups.map(({ metric, time }) => ({ labels: labelsOf(metric), value: numberOf(time) }));
  return { at, pushes, metrics };
}

function matchersOf(metric: Labels): string[] {
  const labels = Object.entries(metric).filter(([name]) => name !== "__name__");
  return labels.map(([name, value]) => `${name}=${JSON.stringify(value)}`);
}

/** Returns the labels of a recorded series: the original ones without those added by the scrape. */
function labelsOf(metric: Labels): Labels {
  const kept = Object.entries(metric).filter(([name]) => name !== "__name__" && !SCRAPED.includes(name));
  return { job: JOB, ...Object.fromEntries(kept) };
}
