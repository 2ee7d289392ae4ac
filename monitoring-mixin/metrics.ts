/** The pushed metrics of a run that the recording rules keep as one sample per run. */
export const KEPT = [
  "k8sfv_test_result",
  "k8sfv_occupancy_mean_bytes",
  "k8sfv_occupancy_increase_percent",
  "k8sfv_heap_alloc_bytes",
];
