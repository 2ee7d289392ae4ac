import { type GrafanaClient, requestGrafana } from "./grafana.ts";

/** The fields of a dashboard, in Grafana's JSON, that are needed to query its panels' data. */
export interface Dashboard {
  title?: string;
  time?: { from: string };
  templating: { list?: { name: string; allValue?: string; definition?: string }[] };
  panels?: unknown[];
}

/** The fields of a dashboard panel that are needed to query its data. */
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

/** One field of a data frame. */
export interface Column {
  /** refId of the query. */
  refId: string;
  name: string;
  labels: Record<string, string>;
  values: (number | string | null)[];
}

/** A data frame with the time as first column. */
export interface Frame {
  refId: string;
  columns: Column[];
  /** Interval between two points in milliseconds; 0 for an instant query. */
  step: number;
}

/** A time range in milliseconds of Unix time. */
export interface Range {
  from: number;
  to: number;
}

/** Values of dashboard variables by name. */
type Variables = Record<string, string>;

/** Value of a variable's option "All" (monitoring-mixin/dashboards/variables.ts). */
const ALL = ".+";

/** Value of `maxDataPoints` that Grafana's page sends for a panel on a wide screen. */
const POINTS = 1000;

export const DAY_MS = 24 * 3600 * 1000;

/** Returns the panels of a dashboard. */
export function panelsOf(dashboard: Dashboard): Panel[] {
  return (dashboard.panels ?? []) as Panel[];
}

/** Returns the dashboard's default time range. */
export function defaultRange(dashboard: Dashboard, now = Date.now()): Range {
  const [, count, unit] = /^now-(\d+)([dh])$/.exec(dashboard.time?.from ?? "") ?? [];
  if (count === undefined)
    throw new Error(
      `${dashboard.title} has an unsupported default time range: ${dashboard.time?.from ?? "none"}`,
    );
  return { from: now - Number(count) * (unit === "d" ? DAY_MS : DAY_MS / 24), to: now };
}

/** Returns the range of the last `days` days. */
export function lastDays(days: number, now = Date.now()): Range {
  return { from: now - days * DAY_MS, to: now };
}

/** Returns the range of the last five years. */
export function fiveYears(now = Date.now()): Range {
  return lastDays(5 * 365, now);
}

/** Queries the values of a dashboard variable through Grafana's API, as Grafana's page does. */
export async function variableValues(
  client: GrafanaClient,
  definition: string,
  variables: Record<string, string>,
  { from, to }: Range,
): Promise<string[]> {
  const [, series, label] = /^label_values\((.*), (\w+)\)$/.exec(definition) ?? [];
  if (series === undefined || label === undefined)
    throw new Error(`Unsupported variable query: ${definition}`);
  const query = new URLSearchParams({
    "match[]": interpolate(series, variables),
    start: String(Math.floor(from / 1000)),
    end: String(Math.ceil(to / 1000)),
  });
  const path = `/api/datasources/uid/my-prom/resources/api/v1/label/${label}/values?${query.toString()}`;
  return (await requestGrafana<{ data: string[] }>(client, path)).data;
}

/** Returns the initial values of a dashboard's variables: "All" where the variable has it, else the first value. */
export async function initialVariables(
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

/** Queries a panel's data through Grafana's query API, as Grafana's page does. */
export async function queryPanel(
  client: GrafanaClient,
  panel: Panel,
  variables: Record<string, string>,
  { from, to }: Range,
): Promise<Frame[]> {
  const queries = panel.targets.map((target) => ({
    ...target,
    expr: interpolate(target.expr, variables),
    interval: panel.interval ?? "",
    // Grafana's page rounds the interval to a value from a fixed list. Here it is rounded up to whole seconds, because
    // a fraction would become a duration such as 10m34.8s, which PromQL doesn't have.
    intervalMs: Math.ceil((to - from) / POINTS / 1000) * 1000,
    maxDataPoints: POINTS,
  }));
  const { results } = await requestGrafana<QueryResponse>(client, "/api/ds/query", {
    queries,
    from: String(from),
    to: String(to),
  });
  return panel.targets.flatMap(({ refId }) => {
    const { error, frames = [] } = results[refId] ?? { error: "no answer" };
    if (error !== undefined) throw new Error(`${panel.title}, query ${refId}: ${error}`);
    // Grafana describes the executed query in the first frame only.
    const step = stepOf(frames[0]?.schema.meta?.executedQueryString ?? "");
    return frames
      .filter(({ schema }) => schema.fields.length > 0)
      .map((frame) => toFrame(refId, step, frame));
  });
}

/** Queries all panels one by one. @returns the duration of each in milliseconds */
export async function panelTimes(
  client: GrafanaClient,
  dashboard: Dashboard,
  variables: Record<string, string>,
  range: Range,
): Promise<number[]> {
  const times: number[] = [];
  for (const panel of panelsOf(dashboard)) {
    const started = performance.now();
    await queryPanel(client, panel, variables, range);
    times.push(performance.now() - started);
  }
  return times;
}

interface QueryResponse {
  results: Record<string, { error?: string; frames?: RawFrame[] }>;
}

interface RawFrame {
  schema: {
    meta?: { executedQueryString?: string };
    fields: { name: string; labels?: Record<string, string>; config?: { displayNameFromDS?: string } }[];
  };
  data: { values: (number | string | null)[][] };
}

function toFrame(refId: string, step: number, { schema, data }: RawFrame): Frame {
  return {
    refId,
    step,
    columns: schema.fields.map(({ name, labels = {}, config }, at) => ({
      refId,
      name: config?.displayNameFromDS ?? name,
      labels,
      values: data.values[at] ?? [],
    })),
  };
}

/** Returns the step, in milliseconds, that Grafana's `executedQueryString` contains, e.g. "Expr: …\nStep: 1h30m0s". */
function stepOf(executed: string): number {
  const [, text = ""] = /\nStep: (\S+)/.exec(executed) ?? [];
  const units: Record<string, number> = { h: 3600_000, m: 60_000, s: 1000 };
  return [...text.matchAll(/([\d.]+)([hms])/g)].reduce(
    (sum, [, count, unit = ""]) => sum + Number(count) * (units[unit] ?? 0),
    0,
  );
}

/**
 * Interpolates variables as Grafana's page does. Supports single values and the formats that the dashboards use.
 *
 * @throws Error on another format
 */
function interpolate(expr: string, variables: Variables): string {
  return expr.replaceAll(/\$\{(\w+):(\w+)\}/g, (whole, name: string, format: string) => {
    const value = variables[name];
    if (value === undefined) return whole;
    // Grafana does not format a custom value for "All".
    if (value === ALL || format === "raw") return value;
    if (format === "regex") return value.replaceAll(/[\\^$*+?.()|[\]{}/]/g, "\\$&");
    throw new Error(`Unknown format of a variable: ${whole}`);
  });
}
