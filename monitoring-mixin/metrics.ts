import { WORKLOADS } from "../lib/workloads.ts";

/** Pushed metrics that the recording rules keep as one sample per run. */
export const RECORDED_METRICS = [
  "k8sfv_test_result",
  "k8sfv_occupancy_mean_bytes",
  "k8sfv_occupancy_increase_percent",
  "k8sfv_heap_alloc_bytes",
];

/** Returns the label matcher for one of the environment's own workloads, such as `job="prometheus"`. */
export function ownJob(workload: keyof typeof WORKLOADS): string {
  return `job="${WORKLOADS[workload].name}"`;
}

/**
 * Label matcher for all of the environment's own workloads. It lists their jobs, so that other pushed or scraped jobs
 * affect neither alerts nor counts.
 */
export const OWN_JOBS = `job=~"${[...Object.values(WORKLOADS).map(({ name }) => name), "push-proxy"].join("|")}"`;

/** Label matcher for the push proxy's own metrics, which Prometheus scrapes separately from the Pushgateway's. */
export const PUSH_PROXY_JOB = 'job="push-proxy"';

/** Metrics of the push proxy in front of the Pushgateway (components/push-proxy). */
export const PUSH_METRICS = {
  /** Counter of pushes that got a response, with the HTTP status in the label `code`. */
  answered: "push_proxy_pushes_total",
  /**
   * Gauge with a series for each stored metric family that the last POST to its group didn't contain. Its labels are
   * those of the group, and `family`.
   */
  staleFamily: "push_proxy_stale_family",
  /** Size of the Pushgateway's persistence file in bytes, and its limit. */
  storedBytes: "push_proxy_stored_bytes",
  storedBytesLimit: "push_proxy_stored_bytes_limit",
  /** Gauge: 1 if the Pushgateway's last `/metrics` response was complete and valid, else 0. */
  expositionValid: "push_proxy_exposition_valid",
};

/**
 * RE2 pattern of a code level that consists of a repository's URL and a branch, and its short form. The short form omits
 * the host only if it is github.com, so different code levels stay different.
 */
export const CODE_LEVEL_URL = { pattern: "https://(?:github\\.com/)?(.+?)\\.git-(.+)", short: "$1 $2" };

/** Label matcher for nightly runs. Developers push with the code level `dev`, for which no alert fires. */
export const NIGHTLY = 'code_level!="dev"';
