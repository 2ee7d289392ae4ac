import { KEPT } from "../../monitoring-mixin/metrics.ts";
import type { Prometheus } from "./prometheus.ts";
import { numberOf } from "./prometheus.ts";
import type { Run, Value } from "./runs.ts";

/** Which runs are read. */
export interface Wanted {
  /** What their series have, as PromQL: `job="k8sfv"`. */
  match: string;
  /** From when until when, in seconds. */
  from: number;
  until: number;
}

/** The job of what is kept; the rules, the dashboards and the alerts know no other. */
const JOB = "k8sfv";
/** What tells one series of a run from another. All else says which pod was scraped, and where. */
const LABELS = ["test_name", "code_level", "process", "test_step"];
const MINUTE = 60;
/** A week has 10,080 minutes; Prometheus gives 11,000 values at most at once. */
const WEEK = 7 * 24 * 60 * MINUTE;
/** Prometheus has others to answer, too. */
const AT_A_TIME = 4;

/** Reads the runs in the order of time. */
export async function readRuns(
  prometheus: Prometheus,
  wanted: Wanted,
  tell: (line: string) => void,
): Promise<Run[]> {
  const pushes = await findPushes(prometheus, wanted);
  tell(`runs found: ${pushes.length}`);
  const runs: Run[] = [];
  for (let n = 0; n < pushes.length; n += AT_A_TIME) {
    if (n > 0 && n % 500 === 0) tell(`${n} of ${pushes.length} runs read`);
    const some = pushes.slice(n, n + AT_A_TIME);
    runs.push(...(await Promise.all(some.map((push) => readRun(prometheus, wanted.match, push)))));
  }
  return runs;
}

type Push = Pick<Run, "at" | "pushed">;

/**
 * Every push, at the first full minute at which it was seen: that is when the rules would have kept it. It is one
 * however often it is seen, also when it comes back after another; the rules would have kept that anew.
 */
async function findPushes(prometheus: Prometheus, wanted: Wanted): Promise<Push[]> {
  const pushed = `max(${pushTimes(wanted)})`;
  const seen = new Map<number, Push>();
  for (const end of await weeksWithPushes(prometheus, wanted)) {
    const last = Math.min(end, wanted.until);
    const [series] = await prometheus.queryRange(pushed, end - WEEK + MINUTE, last, MINUTE);
    for (const [at, text] of series?.values ?? []) {
      const time = numberOf(text);
      if (!seen.has(time)) seen.set(time, { at, pushed: time });
    }
  }
  return [...seen.values()];
}

/** What says when something was pushed. */
export function pushTimes({ match }: Pick<Wanted, "match">): string {
  return `push_time_seconds{${match}}`;
}

/** The ends of the weeks that have any: of five years most may have none, and aren't asked minute by minute. */
async function weeksWithPushes(prometheus: Prometheus, wanted: Wanted): Promise<number[]> {
  const start = Math.ceil(wanted.from / MINUTE) * MINUTE;
  const counts = await prometheus.queryRange(
    `sum(count_over_time(${pushTimes(wanted)}[1w]))`,
    start + WEEK,
    wanted.until + WEEK - MINUTE,
    WEEK,
  );
  return (counts[0]?.values ?? []).map(([at]) => at);
}

async function readRun(prometheus: Prometheus, match: string, push: Push): Promise<Run> {
  const expr = `max by (__name__, ${LABELS.join(", ")}) ({__name__=~"${KEPT.join("|")}", ${match}})`;
  const metrics = new Map<string, Value[]>();
  for (const { metric, value } of await prometheus.query(expr, push.at)) {
    const { __name__: name = "", ...labels } = metric;
    const values = metrics.get(name) ?? [];
    metrics.set(name, values);
    values.push({ labels: { job: JOB, ...labels }, value: numberOf(value[1]) });
  }
  return { ...push, metrics };
}
