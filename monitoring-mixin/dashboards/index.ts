import { monitoringHealth } from "./monitoring-health.ts";
import { scaleTesting } from "./scale-testing.ts";
import type { Dashboard } from "./dashboard.ts";
import { summary, type SummaryThresholds } from "./summary.ts";

export { type Dashboard, FOLDER } from "./dashboard.ts";
export { ALERTMANAGER_SOURCE, DATA_SOURCE } from "./data-sources.ts";

/**
 * Returns all dashboards, by a key that is part of their resources' names.
 *
 * @param thresholds - limits at which panels turn red
 */
export function dashboards(thresholds: SummaryThresholds): Record<string, Dashboard> {
  return {
    summary: summary(thresholds),
    "scale-testing": scaleTesting(),
    "monitoring-health": monitoringHealth(),
  };
}
