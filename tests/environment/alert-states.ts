import { setTimeout as sleep } from "node:timers/promises";
import { askGrafana } from "../../local/panels.ts";
import type { GrafanaClient } from "../../local/panels.ts";

/** An alert as Grafana sees it. */
export interface AlertState {
  title: string;
  /** How many of its series fire. */
  firing: number;
  /** Whether its last evaluation went well: "ok", "nodata" or "error". */
  health: string;
  /** When that was, in ms. */
  at: number;
}

/** Every alert's state. */
export async function alertStates(grafana: GrafanaClient): Promise<AlertState[]> {
  const { data } = await askGrafana<RuleStates>(grafana, "/api/prometheus/grafana/api/v1/rules");
  return data.groups.flatMap(({ rules, lastEvaluation }) =>
    rules.map(({ name, health, alerts: series = [] }) => ({
      title: name,
      firing: series.filter(({ state }) => state === "Alerting").length,
      health,
      at: Date.parse(lastEvaluation),
    })),
  );
}

/** Waits until each alert was evaluated once from now on. */
export async function evaluated(grafana: GrafanaClient): Promise<void> {
  const from = Date.now();
  while ((await alertStates(grafana)).some(({ at }) => at < from)) {
    if (Date.now() > from + 150_000) throw new Error("An alert is not evaluated");
    await sleep(2000);
  }
}

interface RuleStates {
  data: {
    groups: {
      lastEvaluation: string;
      rules: { name: string; health: string; alerts?: { state: string }[] }[];
    }[];
  };
}
