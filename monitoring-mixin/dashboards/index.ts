import { monitoringHealth } from "./monitoring-health.ts";
import { scaleTesting } from "./scale-testing.ts";
import type { Dashboard } from "./shared.ts";
import { summary, type SummaryThresholds } from "./summary.ts";

export { ALERTMANAGER_SOURCE, DATA_SOURCE, FOLDER } from "./shared.ts";
export type { Dashboard } from "./shared.ts";

/**
 * Every dashboard, by a name for its resource.
 *
 * @param thresholds - from where on something is red
 */
export function dashboards(thresholds: SummaryThresholds): Record<string, Dashboard> {
  return {
    summary: summary(thresholds),
    "scale-testing": scaleTesting(),
    "monitoring-health": monitoringHealth(),
  };
}
