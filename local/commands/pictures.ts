// npm run pictures: draws each dashboard, from what Grafana on the running local cloud answers, for the README.
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { DEFAULT_THRESHOLDS } from "../../monitoring-mixin/thresholds.ts";
import type { Dashboard } from "../../monitoring-mixin/dashboards/index.ts";
import { dashboards } from "../../monitoring-mixin/dashboards/index.ts";
import { HEALTH } from "../../monitoring-mixin/dashboards/monitoring-health.ts";
import { openCloud } from "../cluster/cloud.ts";
import { openEngine, stackOutputs } from "../environment.ts";
import { forwardThoseThere } from "../forwards.ts";
import type { Range } from "../panels.ts";
import { defaultRange } from "../panels.ts";
import { drawDashboard } from "../pictures/dashboard.ts";
import { ask, loadHistory } from "../prometheus-data.ts";
import { cloudName, runCommand, step } from "./terminal.ts";

const folder = path.resolve(import.meta.dirname, "../../docs/pictures");

await runCommand(async () => {
  const cloud = openCloud(cloudName());
  const outputs = await stackOutputs(openEngine(cloud));
  const addresses = await forwardThoseThere(cloud, outputs);
  const grafana = { url: addresses.grafana, outputs };
  const kept = encodeURIComponent("count_over_time(run:push_time_seconds[20d] offset 1d)");
  const nights = await ask<{ result: unknown[] }>(addresses.prometheus, `/query?query=${kept}`);
  if (nights.result.length === 0) {
    await step("Writing three weeks of made-up nights into Prometheus", () =>
      loadHistory(cloud, addresses.prometheus, ["-nights", "21", "-felix"]),
    );
  }
  const { headStats } = await ask<{ headStats: { minTime: number } }>(addresses.prometheus, "/status/tsdb");
  await mkdir(folder, { recursive: true });
  for (const dashboard of Object.values(dashboards(DEFAULT_THRESHOLDS))) {
    await step(`Drawing ${dashboard.title}`, async () =>
      writeFile(
        path.join(folder, `${dashboard.uid}.svg`),
        await drawDashboard(grafana, dashboard, shownRange(dashboard, headStats.minTime)),
      ),
    );
  }
});

/** Of the monitoring itself there is nothing older than this cloud's Prometheus. */
function shownRange(dashboard: Dashboard, began: number): Range {
  const { from, to } = defaultRange(dashboard);
  return { from: dashboard.uid === HEALTH.uid ? Math.max(from, began) : from, to };
}
