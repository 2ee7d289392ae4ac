/** Panels of the dashboard "k8sfv summary" that alerts link to. */
export const SUMMARY = { uid: "k8sfv-summary", results: 2, lastRun: 3, passing: 4, change: 7 } as const;

/** Panels of the dashboard "Monitoring health" that alerts link to. */
export const HEALTH = {
  uid: "k8sfv-monitoring-health",
  refused: 3,
  pushes: 5,
  scrapes: 6,
  disk: 11,
  notifications: 15,
  errors: 16,
  stored: 17,
  remoteWrite: 18,
} as const;
