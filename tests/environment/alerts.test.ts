import { expect, describe, it } from "vitest";
import { panelsOf } from "../../local/panels.ts";
import { ask, metricsOf } from "../../local/prometheus-data.ts";
import { alerts } from "../../monitoring-mixin/alerts/index.ts";
import { dashboards } from "../../monitoring-mixin/dashboards/index.ts";
import { DEFAULT_THRESHOLDS } from "../../monitoring-mixin/thresholds.ts";
import { useContent } from "./content.ts";

describe("alerts and dashboards", () => {
  const content = useContent();

  it("asks only for metrics that there are", async () => {
    const { addresses } = content;
    const exprs = [
      ...Object.values(dashboards(DEFAULT_THRESHOLDS)).flatMap((dashboard) =>
        panelsOf(dashboard).flatMap(({ targets }) => targets.map(({ expr }) => expr)),
      ),
      ...alerts(DEFAULT_THRESHOLDS).map(({ expr }) => expr),
    ].map((expr) => expr.replaceAll(/\$__(rate_)?interval|\$__range/g, "1h"));
    const known = new Set(await ask<string[]>(addresses.prometheus, "/label/__name__/values"));
    const names = new Set<string>();
    for (const expr of exprs) {
      for (const name of await metricsOf(addresses.prometheus, expr)) names.add(name);
    }
    expect(names.size).toBeGreaterThan(30);
    // These appear with a restart and with remote write.
    names.delete("job:restarts:increase1m");
    for (const name of names) if (name.startsWith("prometheus_remote_storage_queue_")) names.delete(name);
    expect([...names].filter((name) => !known.has(name))).toEqual([]);
  });
});
