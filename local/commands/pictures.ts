// npm run pictures: draws each dashboard, from what Grafana on the running local cloud answers, for the README.
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { dashboards } from "../../dashboards/index.ts";
import { openCloud } from "../cluster/cloud.ts";
import { openEngine, stackOutputs } from "../environment.ts";
import { startForwards } from "../forwards.ts";
import { askGrafana, defaultRange } from "../panels.ts";
import { drawDashboard } from "../pictures/dashboard.ts";
import { loadHistory } from "../prometheus-data.ts";
import { cloudName, runCommand, step } from "./terminal.ts";

const folder = path.resolve(import.meta.dirname, "../../docs/pictures");

await runCommand(async () => {
  const cloud = openCloud(cloudName());
  const outputs = await stackOutputs(openEngine(cloud));
  const addresses = await startForwards(cloud, outputs);
  const grafana = { url: addresses.grafana, outputs };
  const nights = await fetch(
    `${addresses.prometheus}/api/v1/query?query=${encodeURIComponent("count_over_time(run:push_time_seconds[20d] offset 1d)")}`,
  );
  const { data } = (await nights.json()) as { data: { result: unknown[] } };
  if (data.result.length === 0) {
    await step("Writing three weeks of made-up nights into Prometheus", () =>
      loadHistory(cloud, addresses.prometheus, ["-nights", "21", "-felix"]),
    );
  }
  await askGrafana(grafana, "/api/health");
  await mkdir(folder, { recursive: true });
  for (const dashboard of Object.values(dashboards())) {
    await step(`Drawing ${dashboard.title}`, async () =>
      writeFile(
        path.join(folder, `${dashboard.uid}.svg`),
        await drawDashboard(grafana, dashboard, defaultRange(dashboard)),
      ),
    );
  }
});
