import { monitoringHealth } from "./monitoring-health.ts";
import { scaleTesting } from "./scale-testing.ts";
import type { Dashboard } from "./shared.ts";
import { summary } from "./summary.ts";

export { DATA_SOURCE, FOLDER } from "./shared.ts";
export type { Dashboard } from "./shared.ts";

/** Every dashboard, by a name for its resource. */
export function dashboards(): Record<string, Dashboard> {
  return {
    summary: summary(),
    "scale-testing": scaleTesting(),
    "monitoring-health": monitoringHealth(),
  };
}
