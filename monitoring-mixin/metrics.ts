import { WORKLOADS } from "../workloads.ts";

/** The pushed metrics of a run that the recording rules keep as one sample per run. */
export const KEPT = [
  "k8sfv_test_result",
  "k8sfv_occupancy_mean_bytes",
  "k8sfv_occupancy_increase_percent",
  "k8sfv_heap_alloc_bytes",
];

/** Label matcher for one of the environment's own workloads: `job="prometheus"`. */
export function ownJob(workload: keyof typeof WORKLOADS): string {
  return `job="${WORKLOADS[workload].name}"`;
}

/**
 * Label matcher for all of the environment's own workloads. It names them: whatever else is pushed or scraped, under
 * any job, changes neither alerts nor counts.
 */
export const OWN_JOBS = `job=~"${[...Object.values(WORKLOADS).map(({ name }) => name), "push-proxy"].join("|")}"`;

/** Label matcher for the push proxy: its metrics are a target of their own behind the Pushgateway's Service. */
export const PUSH_PROXY_JOB = 'job="push-proxy"';

/** Metrics of the push proxy before the Pushgateway (components/push-proxy). */
export const PUSH_METRICS = {
  /** Counter of answered pushes, with the HTTP status in the label `code`. */
  answered: "push_proxy_pushes_total",
  /** Gauge: metrics of a group that are from an earlier push than its last, by group labels and `family`. */
  staleFamily: "push_proxy_stale_family",
  /** Bytes in the Pushgateway's file, and the number from which on it takes no more. */
  storedBytes: "push_proxy_stored_bytes",
  storedBytesLimit: "push_proxy_stored_bytes_limit",
  /** 1 if the Pushgateway's last page of metrics was whole and valid, else 0. */
  expositionValid: "push_proxy_exposition_valid",
};

/**
 * RE2 pattern of a code level that is a repository's URL and a branch, and its short form. Different code levels stay
 * different: only the host github.com is left out.
 */
export const CODE_LEVEL_URL = { pattern: "https://(?:github\\.com/)?(.+?)\\.git-(.+)", short: "$1 $2" };

/** Label matcher for nightly runs: `dev` is what developers push, and nobody waits for it. */
export const NIGHTLY = 'code_level!="dev"';
