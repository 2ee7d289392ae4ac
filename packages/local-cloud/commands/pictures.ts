// npm run pictures: takes screenshots of all dashboards from the running local cloud's Grafana, for docs/pictures.
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { readCommandLine } from "../../../lib/command-line.ts";
import { ask } from "../../../lib/prometheus.ts";
import { openBrowser, panelsLoaded, signIn } from "../clients/browser.ts";
import { firstScrape, loadHistory } from "../clients/history.ts";
import { openCloud } from "../hosts/cloud.ts";
import { openEngine, stackOutputs } from "../environment/engine.ts";
import { forwardAvailable } from "../environment/forwards.ts";
import { projectDir } from "../project/directory.ts";
import { cloudName, runCommand, step } from "./terminal.ts";

const folder = path.join(projectDir, "docs/pictures");

/**
 * UID of the dashboard with the metrics of the monitoring itself. They begin with the start of this cloud's Prometheus,
 * so the picture's time range begins there.
 */
const MONITORING_HEALTH = "k8sfv-monitoring-health";

/** Window width in pixels, in which links, variables and time picker fit in one line. */
const WIDTH = 1500;

readCommandLine({ usage: "npm run pictures" });

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
  const start = await firstScrape(addresses.prometheus);
  await mkdir(folder, { recursive: true });
  const browser = await openBrowser({ width: WIDTH, height: 1000 });
  try {
    await signIn(browser.context, addresses.grafana, outputs);
    for (const [title, url] of Object.entries(outputs.DASHBOARDS as Record<string, string>)) {
      await step(`Taking a screenshot of ${title}`, async () => {
        const page = await browser.context.newPage();
        const uid = uidOf(url);
        const range = uid === MONITORING_HEALTH ? `?from=${start}&to=now` : "";
        await page.goto(`${addresses.grafana}/d/${uid}${range}`);
        await panelsLoaded(page);
        // Grafana does not render panels outside the window.
        const height = await page.evaluate<number>("document.documentElement.scrollHeight");
        await page.setViewportSize({ width: WIDTH, height });
        await panelsLoaded(page);
        await page.screenshot({ path: path.join(folder, `${uid}.png`) });
        await page.close();
      });
    }
  } finally {
    await browser.close();
  }
});

/** Returns the UID in a dashboard's URL, whose path is /d/UID or /d/UID/TITLE. */
function uidOf(url: string): string {
  const uid = /^\/d\/([^/]+)/.exec(new URL(url).pathname)?.[1];
  if (uid === undefined) throw new Error(`The output DASHBOARDS has no dashboard's URL: ${url}`);
  return uid;
}
