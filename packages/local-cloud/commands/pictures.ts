// npm run pictures: takes the README's screenshots of the dashboards from the running local cloud's Grafana.
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { DEFAULT_THRESHOLDS } from "../../../monitoring-mixin/thresholds.ts";
import type { Dashboard } from "../../../monitoring-mixin/dashboards/index.ts";
import { dashboards } from "../../../monitoring-mixin/dashboards/index.ts";
import { HEALTH } from "../../../monitoring-mixin/dashboards/monitoring-health.ts";
import { openBrowser, panelsLoaded, signIn } from "../browser.ts";
import { openCloud } from "../cluster/cloud.ts";
import { openEngine, stackOutputs } from "../environment.ts";
import { forwardAvailable } from "../forwards.ts";
import { ask, loadHistory } from "../prometheus-data.ts";
import { cloudName, runCommand, step } from "./terminal.ts";

const folder = path.resolve(import.meta.dirname, "../../../docs/pictures");

/**
 * Window width in pixels: links, variables and time picker fit in one line. The README scales the pictures to
 * half.
 */
const WIDTH = 1500;

await runCommand(async () => {
  const cloud = openCloud(cloudName());
  const outputs = await stackOutputs(openEngine(cloud));
  const addresses = await forwardAvailable(cloud, outputs);
  const kept = encodeURIComponent("count_over_time(run:push_time_seconds[20d] offset 1d)");
  const nights = await ask<{ result: unknown[] }>(addresses.prometheus, `/query?query=${kept}`);
  if (nights.result.length === 0) {
    await step("Writing three weeks of synthetic nightly runs into Prometheus", () =>
      loadHistory(cloud, addresses.prometheus, ["-nights", "21", "-felix"]),
    );
  }
  const { headStats } = await ask<{ headStats: { minTime: number } }>(addresses.prometheus, "/status/tsdb");
  await mkdir(folder, { recursive: true });
  const browser = await openBrowser({ width: WIDTH, height: 1000 });
  try {
    await signIn(browser.context, addresses.grafana, outputs);
    for (const dashboard of Object.values(dashboards(DEFAULT_THRESHOLDS))) {
      await step(`Taking a screenshot of ${dashboard.title}`, async () => {
        const page = await browser.context.newPage();
        await page.goto(`${addresses.grafana}${address(dashboard, headStats.minTime)}`);
        await panelsLoaded(page);
        // Grafana does not render panels outside the window.
        const height = await page.evaluate<number>("document.documentElement.scrollHeight");
        await page.setViewportSize({ width: WIDTH, height });
        await panelsLoaded(page);
        await page.screenshot({ path: path.join(folder, `${dashboard.uid}.png`) });
        await page.close();
      });
    }
  } finally {
    await browser.close();
  }
});

/** Returns the dashboard's URL path. Metrics of the monitoring itself start with this cloud's Prometheus. */
function address({ uid }: Dashboard, began: number): string {
  return uid === HEALTH.uid ? `/d/${uid}?from=${began}&to=now` : `/d/${uid}`;
}
