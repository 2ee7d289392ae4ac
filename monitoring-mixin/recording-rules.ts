import { KEPT, OWN_JOBS, ownJob, PUSH_METRICS } from "./metrics.ts";

/** A group of Prometheus's recording rules, as a PrometheusRule holds it. */
export interface RecordingGroup {
  name: string;
  /** How often it is evaluated. */
  interval: string;
  rules: { record: string; expr: string }[];
}

/** Over how many of the runs before a run is judged. */
export const MEDIANS = [7, 30];

/**
 * What would otherwise have to be read again and again out of years of raw samples.
 *
 * **One sample a run.** The gateway goes on showing a run until the next one, and each scrape stores it again:
 * 8,640 samples a day of one result. So medians, counts and "the last run" can't be taken from raw samples;
 * they would weigh a run by how long it was shown. The first rule fires once a push: it gives the time of the
 * newest push unless it gave that before. Rules of a group run one after the other and see what those before
 * gave, so all others of the group keep the run's values at that same moment. At the next evaluation the
 * first gives nothing, and Prometheus marks the series as gone. It takes no part of this from the clock:
 * a Prometheus that was down keeps the run when it is back, as long as the gateway still shows it. Its
 * limits: a run that is replaced before it was scraped and evaluated (70 s at most) is not kept; after 60 days
 * without a push the last one is kept a second time.
 *
 * **Median of the last 7 (30) runs**: of the samples so kept in the 7 (30) days and 12 hours before the run,
 * itself left out, for the same test, code level and process. With one run a night that is exactly so many
 * runs, as long as no run is 12 hours late. A night without a run is one run fewer, a second run in a day one
 * more: PromQL can't count back by samples. It is reckoned once, when the run is kept, so it doesn't change
 * with the time at which one looks.
 *
 * **A test that is missing**: 1 for a test that the code level's run of the night before (36 hours) had and
 * this run doesn't, 0 for one that it has.
 *
 * What changes in the rules of a run changes in tools/backfill/runs.ts too, which makes the same of older runs.
 */
export function recordingGroups(): RecordingGroup[] {
  return [
    { name: "k8sfv-runs", interval: "1m", rules: runRules() },
    { name: "k8sfv-health", interval: "1m", rules: healthRules() },
  ];
}

function runRules(): RecordingGroup["rules"] {
  const pushed = 'max(push_time_seconds{job="k8sfv"})';
  return [
    {
      record: "run:push_time_seconds",
      expr: `${pushed} unless ${pushed} == max(last_over_time(run:push_time_seconds[60d]))`,
    },
    ...KEPT.map((metric) => ({
      record: `run:${metric}`,
      expr: `${metric}{job="k8sfv"} and on () run:push_time_seconds`,
    })),
    ...(["min", "avg", "max"] as const).map((what) => ({
      record: `run:k8sfv_heap_alloc_bytes:${what}`,
      expr: `${what} without (test_step) (run:k8sfv_heap_alloc_bytes)`,
    })),
    {
      record: "run:k8sfv_test_push_time_seconds",
      expr: "run:k8sfv_test_result * 0 + on () group_left () run:push_time_seconds",
    },
    ...MEDIANS.map((runs) => ({
      record: `run:k8sfv_occupancy_mean_bytes:median${runs}`,
      expr:
        `quantile_over_time(0.5, run:k8sfv_occupancy_mean_bytes[${runs}d12h] offset 1m) ` +
        "and run:k8sfv_occupancy_mean_bytes",
    })),
    {
      record: "run:k8sfv_test_missing",
      expr:
        "run:k8sfv_test_result * 0 or " +
        "(last_over_time(run:k8sfv_test_result[36h] offset 1m) * 0 + 1 and on (code_level) run:k8sfv_test_result)",
    },
  ];
}

/**
 * A count is recorded only when there is something to count, so it costs next to nothing. A counter's first value is
 * counted only if the Pushgateway was scraped before: `increase` would miss it, and a Prometheus that was down would
 * count old pushes again.
 */
function healthRules(): RecordingGroup["rules"] {
  const gateway = ownJob("pushGateway");
  const pushes = (codes: string) => {
    const total = (offset: string) =>
      `sum by (code) (${PUSH_METRICS.answered}{${gateway}, code${codes}}${offset})`;
    const zero = `${total("")} * 0 and on () max(pushgateway_build_info{${gateway}} offset 1m)`;
    return `${total("")} - (${total(" offset 1m")} or ${zero}) > 0`;
  };
  const started = `process_start_time_seconds{${OWN_JOBS}}`;
  const size = (metric: string) => `prometheus_tsdb_${metric}{${ownJob("prometheus")}}`;
  return [
    { record: "gateway:pushes_taken:increase1m", expr: pushes('=~"2.."') },
    { record: "gateway:pushes_refused:increase1m", expr: pushes('!~"2.."') },
    {
      record: "job:restarts:increase1m",
      expr: `(max by (job) (${started}) > bool max by (job) (last_over_time(${started}[1d] offset 1m))) > 0`,
    },
    {
      record: "prometheus:disk_used_bytes",
      expr:
        `max(${size("storage_blocks_bytes")} + ${size("wal_storage_size_bytes")} ` +
        `+ ${size("head_chunks_storage_size_bytes")})`,
    },
  ];
}
