import { DEFAULT_THRESHOLDS } from "../monitoring-mixin/thresholds.ts";
import type { Dashboard } from "../monitoring-mixin/dashboards/index.ts";
import { dashboards } from "../monitoring-mixin/dashboards/index.ts";
import type { Cloud } from "../local/cluster/index.ts";
import type { LocalAddresses } from "../local/forwards.ts";
import type { GrafanaClient } from "../local/panels.ts";
import { fiveYears, lastDays, initialVariables, panelsOf, panelTimes } from "../local/panels.ts";
import { loadHistory } from "../local/prometheus-data.ts";
import type { Measure } from "./page.ts";
import { quantile } from "./statistics.ts";

const ROUNDS = 10;
/** Not quite five years: what is older than that, Prometheus would drop as soon as it took it. */
const NIGHTS = 1820;
/** Of so many all is written that was scraped, Felix too; of those before what the recording rules keep. */
const RAW_NIGHTS = 21;

/** What each dashboard finds. */
const DATA: Record<string, string> = {
  summary: `${NIGHTS} nights`,
  "scale-testing": `${RAW_NIGHTS} nights of Felix`,
  "monitoring-health": "data as old as the cloud",
};

/**
 * What the panels of each dashboard wait for their data at five years, by Grafana's own query API, against the
 * same at seven days.
 */
export async function measureDashboards(
  cloud: Cloud,
  { grafana: url, prometheus }: LocalAddresses,
  outputs: Record<string, unknown>,
): Promise<Measure[]> {
  const nights = ["-nights", String(NIGHTS), "-raw-nights", String(RAW_NIGHTS), "-felix"];
  await loadHistory(cloud, prometheus, nights);
  const measures: Measure[] = [];
  for (const [name, dashboard] of Object.entries(dashboards(DEFAULT_THRESHOLDS))) {
    const [years, week] = await waits({ url, outputs }, dashboard);
    const rounds = `${ROUNDS} rounds of ${panelsOf(dashboard).length} panels`;
    measures.push({
      what: `"${dashboard.title}" at five years, p95 of its panels`,
      result: `${years.toFixed(0)} ms, ${(years / week).toFixed(2)} times that of seven days`,
      aim: "< 300 ms",
      from: [`${years.toFixed(0)} ms ÷ ${week.toFixed(0)} ms`, rounds, DATA[name]].filter(Boolean).join("; "),
    });
  }
  return measures;
}

/** The 95th percentile in ms: at five years, and at seven days. The first round counts: people open cold. */
async function waits(client: GrafanaClient, dashboard: Dashboard): Promise<[number, number]> {
  const [years, week] = [fiveYears(), lastDays(7)];
  const ofYears = await initialVariables(client, dashboard, years);
  const ofWeek = await initialVariables(client, dashboard, week);
  const times: [number[], number[]] = [[], []];
  // In turn, so that other work of the machine hits both.
  for (let round = 0; round < ROUNDS; round++) {
    times[0].push(...(await panelTimes(client, dashboard, ofYears, years)));
    times[1].push(...(await panelTimes(client, dashboard, ofWeek, week)));
  }
  return [quantile(times[0], 0.95), quantile(times[1], 0.95)];
}
