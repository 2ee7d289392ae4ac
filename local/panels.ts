import { basicAuth } from "./sample.ts";
import type { Dashboard } from "../monitoring-mixin/dashboards/index.ts";

/** A panel of a dashboard, as far as asking for its data needs it. */
export interface Panel {
  id: number;
  title: string;
  type: string;
  interval?: string;
  targets: PanelTarget[];
}

interface PanelTarget {
  refId: string;
  expr: string;
  legendFormat?: string;
}

/** One series or table column of an answer. */
export interface Column {
  /** The target it answers. */
  refId: string;
  name: string;
  labels: Record<string, string>;
  values: (number | string | null)[];
}

/** An answer's frame: columns side by side, the time first. */
export interface Frame {
  refId: string;
  columns: Column[];
  /** Between two points, in ms; 0 for an instant. */
  step: number;
}

/** Where Grafana is, and as whom it is asked. */
export interface GrafanaClient {
  url: string;
  outputs: Record<string, unknown>;
}

/** From when to when, in ms. */
export interface Range {
  from: number;
  to: number;
}

/** Values of a dashboard's variables, by name. */
type Variables = Record<string, string>;

/** The value for all values of a variable (monitoring-mixin/dashboards/shared.ts). */
const ALL = ".+";

/** How many points a panel on a wide screen asks for. */
const POINTS = 1000;

export const DAY_MS = 24 * 3600 * 1000;

/** The panels of a dashboard. */
export function panelsOf(dashboard: Dashboard): Panel[] {
  return (dashboard.panels ?? []) as unknown as Panel[];
}

/** The time that a dashboard shows when it is opened. */
export function defaultRange(dashboard: Dashboard, now = Date.now()): Range {
  const [, count, unit] = /^now-(\d+)([dh])$/.exec(dashboard.time?.from ?? "") ?? [];
  if (count === undefined)
    throw new Error(`${dashboard.title} begins at ${dashboard.time?.from ?? "no time"}`);
  return { from: now - Number(count) * (unit === "d" ? DAY_MS : DAY_MS / 24), to: now };
}

/** The last so many days. */
export function lastDays(days: number, now = Date.now()): Range {
  return { from: now - days * DAY_MS, to: now };
}

/** The last five years. */
export function fiveYears(now = Date.now()): Range {
  return lastDays(5 * 365, now);
}

/** Asks Grafana for any of its API. */
export async function askGrafana<T>(client: GrafanaClient, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${client.url}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { ...basicAuth(client.outputs), "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`Grafana answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

/** The values of a dashboard's variable, by Grafana's own way to Prometheus, as its page asks for them. */
export async function variableValues(
  client: GrafanaClient,
  definition: string,
  variables: Record<string, string>,
  { from, to }: Range,
): Promise<string[]> {
  const [, series, label] = /^label_values\((.*), (\w+)\)$/.exec(definition) ?? [];
  if (series === undefined || label === undefined) throw new Error(`What does ${definition} ask for?`);
  const query = new URLSearchParams({
    "match[]": fill(series, variables),
    start: String(Math.floor(from / 1000)),
    end: String(Math.ceil(to / 1000)),
  });
  const path = `/api/datasources/uid/my-prom/resources/api/v1/label/${label}/values?${query.toString()}`;
  return (await askGrafana<{ data: string[] }>(client, path)).data;
}

/** The variables of a dashboard as it is opened: all of each, the first of those that take one value. */
export async function openVariables(
  client: GrafanaClient,
  dashboard: Dashboard,
  range: Range,
): Promise<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const { name, allValue, definition = "" } of dashboard.templating.list ?? []) {
    const values = await variableValues(client, definition, variables, range);
    const first = values[0];
    if (first === undefined) throw new Error(`The variable ${name} of ${dashboard.title} has no value`);
    variables[name] = allValue ?? first;
  }
  return variables;
}

/** Asks for a panel's data, as Grafana's page does: by its query API. */
export async function askPanel(
  client: GrafanaClient,
  panel: Panel,
  variables: Record<string, string>,
  { from, to }: Range,
): Promise<Frame[]> {
  const queries = panel.targets.map((target) => ({
    ...target,
    expr: fill(target.expr, variables),
    interval: panel.interval ?? "",
    intervalMs: Math.max(1, Math.round((to - from) / POINTS)),
    maxDataPoints: POINTS,
  }));
  const { results } = await askGrafana<Answer>(client, "/api/ds/query", {
    queries,
    from: String(from),
    to: String(to),
  });
  return panel.targets.flatMap(({ refId }) => {
    const { error, frames = [] } = results[refId] ?? { error: "no answer" };
    if (error !== undefined) throw new Error(`${panel.title}, query ${refId}: ${error}`);
    return frames.filter(({ schema }) => schema.fields.length > 0).map((frame) => toFrame(refId, frame));
  });
}

/** Asks for the data of every panel, one after the other: how long each took, in ms. */
export async function panelTimes(
  client: GrafanaClient,
  dashboard: Dashboard,
  variables: Record<string, string>,
  range: Range,
): Promise<number[]> {
  const times: number[] = [];
  for (const panel of panelsOf(dashboard)) {
    const started = performance.now();
    await askPanel(client, panel, variables, range);
    times.push(performance.now() - started);
  }
  return times;
}

interface Answer {
  results: Record<string, { error?: string; frames?: RawFrame[] }>;
}

interface RawFrame {
  schema: {
    meta?: { executedQueryString?: string };
    fields: { name: string; labels?: Record<string, string>; config?: { displayNameFromDS?: string } }[];
  };
  data: { values: (number | string | null)[][] };
}

function toFrame(refId: string, { schema, data }: RawFrame): Frame {
  return {
    refId,
    step: stepOf(schema.meta?.executedQueryString ?? ""),
    columns: schema.fields.map(({ name, labels = {}, config }, at) => ({
      refId,
      name: config?.displayNameFromDS ?? name,
      labels,
      values: data.values[at] ?? [],
    })),
  };
}

/** Grafana tells what it asked Prometheus for: "Expr: …\nStep: 1h30m0s". */
function stepOf(executed: string): number {
  const [, text = ""] = /\nStep: (\S+)/.exec(executed) ?? [];
  const units: Record<string, number> = { h: 3600_000, m: 60_000, s: 1000 };
  return [...text.matchAll(/([\d.]+)([hms])/g)].reduce(
    (sum, [, count, unit = ""]) => sum + Number(count) * (units[unit] ?? 0),
    0,
  );
}

/**
 * Replaces variables as Grafana's page does, in the formats that the dashboards use. Not for several values of one
 * variable.
 *
 * @throws Error for another format
 */
function fill(expr: string, variables: Variables): string {
  return expr.replaceAll(/\$\{(\w+):(\w+)\}/g, (whole, name: string, format: string) => {
    const value = variables[name];
    if (value === undefined) return whole;
    // The value for "all" is put in as it is, whatever the format.
    if (value === ALL || format === "raw") return value;
    if (format === "regex") return value.replaceAll(/[\\^$*+?.()|[\]{}/]/g, "\\$&");
    throw new Error(`Unknown format of a variable: ${whole}`);
  });
}
