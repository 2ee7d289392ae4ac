import { OWN_JOBS, ownJob, PUSH_METRICS, PUSH_PROXY_JOB } from "./metrics.ts";
import { runRules, type RecordingRule } from "./run-rules.ts";

/** A group of recording rules, as in a PrometheusRule. */
export interface RecordingGroup {
  name: string;
  /** Evaluation interval. */
  interval: string;
  rules: RecordingRule[];
}

/** Returns all recording rules. Prometheus evaluates the rules of a group in order. */
export function recordingGroups(): RecordingGroup[] {
  return [
    { name: "k8sfv-runs", interval: "1m", rules: runRules() },
    { name: "k8sfv-health", interval: "1m", rules: healthRules() },
  ];
}

/**
 * Returns the rules that count pushes and restarts, and a rule for the disk space that Prometheus uses.
 *
 * To save storage, these counts have no samples with the value 0. The push rules don't use `increase`, because it
 * misses the first value of a new counter. Instead, they add the first value if Prometheus also scraped the push proxy
 * a minute before. Without this condition, they would count all earlier pushes again after a downtime of Prometheus.
 */
function healthRules(): RecordingGroup["rules"] {
  const pushes = (codes: string) => {
    const total = (offset: string) =>
      `sum by (code) (${PUSH_METRICS.answered}{${PUSH_PROXY_JOB}, code${codes}}${offset})`;
    const zero = `${total("")} * 0 and on () max(${PUSH_METRICS.storedBytesLimit}{${PUSH_PROXY_JOB}} offset 1m)`;
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
