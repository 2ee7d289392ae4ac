import { DEFAULT_THRESHOLDS } from "../monitoring-mixin/thresholds.ts";
import type { Dashboard } from "../monitoring-mixin/dashboards/index.ts";
import { dashboards } from "../monitoring-mixin/dashboards/index.ts";
import { type Cloud, type LocalAddresses, loadHistory } from "k8sfv-local-cloud";
import type { GrafanaClient } from "../lib/grafana.ts";
import { fiveYears, lastDays, initialVariables, panelsOf, panelTimes } from "../lib/panels.ts";
import type { Measurement } from "./page.ts";
import { quantile } from "./statistics.ts";

const ROUNDS = 10;
/**
 * Number of nightly runs, one per day: just under five years, which is the retention. Prometheus deletes blocks that
 * are older than its retention as soon as it loads them.
 */
const NIGHTS = 1820;
/**
 * Number of the latest nightly runs for which Prometheus has all scraped series, including Felix's. Earlier
 * runs have only recorded series.
 */
const RAW_NIGHTS = 21;

/** Description of the data that each dashboard shows. */
const DATA: Record<string, string> = {
  summary: `${NIGHTS} nights`,
  "scale-testing": `${RAW_NIGHTS} nights of Felix`,
  "monitoring-health": "data as old as the cloud",
};

/**
 * Measures the query times of each dashboard's panels for a range of five years, through Grafana's query API,
 * relative to those for seven days.
 */
export async function measureDashboards(
  cloud: Cloud,
  { grafana: url, prometheus }: LocalAddresses,
  outputs: Record<string, unknown>,
): Promise<Measurement[]> {
  const nights = ["-nights", String(NIGHTS), "-raw-nights", String(RAW_NIGHTS), "-felix"];
  await loadHistory(cloud, prometheus, nights);
  const measurements: Measurement[] = [];
  for (const [name, dashboard] of Object.entries(dashboards(DEFAULT_THRESHOLDS))) {
    const [years, week] = await waits({ url, outputs }, dashboard);
    const rounds = `${ROUNDS} rounds of ${panelsOf(dashboard).length} panels`;
    measurements.push({
      what: `"${dashboard.title}" at five years, p95 of its panels`,
      result: `${years.toFixed(0)} ms, ${(years / week).toFixed(2)} times that of seven days`,
      aim: "< 300 ms",
      from: [`${years.toFixed(0)} ms ÷ ${week.toFixed(0)} ms`, rounds, DATA[name]].filter(Boolean).join("; "),
      cure: "let the slowest panel read a recording rule",
    });
  }
  return measurements;
}

/**
 * Returns the 95th percentiles of the panels' query times in milliseconds, for five years and for seven days. They
 * include the first round, in which nothing is cached.
 */
async function waits(client: GrafanaClient, dashboard: Dashboard): Promise<[number, number]> {
  const [years, week] = [fiveYears(), lastDays(7)];
  const ofYears = await initialVariables(client, dashboard, years);
  const ofWeek = await initialVariables(client, dashboard, week);
  const times: [number[], number[]] = [[], []];
  // Alternates between the ranges, so that other load affects both.
  for (let round = 0; round < ROUNDS; round++) {
    times[0].push(...(await panelTimes(client, dashboard, ofYears, years)));
    times[1].push(...(await panelTimes(client, dashboard, ofWeek, week)));
  }
  return [quantile(times[0], 0.95), quantile(times[1], 0.95)];
}
