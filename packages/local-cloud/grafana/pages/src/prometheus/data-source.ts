import type {
  DataQueryRequest,
  DataQueryResponse,
  MetricFindValue,
  ScopedVars,
  TimeRange,
} from "@grafana/data";

import { toDataQueryResponse } from "@grafana/runtime";
import { isSceneObject, RuntimeDataSource, sceneGraph } from "@grafana/scenes";
import type { DataQuery } from "@grafana/schema";
import { from, map, type Observable } from "rxjs";
import type { DataSourceSettings } from "../api.ts";
import { request } from "../api.ts";
import { alertAnnotations } from "./annotations.ts";
import { interpolateQueryExpr } from "./interpolate.ts";
import { tablesPerQuery } from "./tables.ts";

/** A panel's query on Prometheus. */
export interface PromQuery extends DataQuery {
  expr: string;
  legendFormat?: string;
  interval?: string;
  /** "table": one table with a column for each label. Other formats: a frame for each series. */
  format?: "table" | "time_series" | "heatmap";
}

type BackendAnswer = Parameters<typeof toDataQueryResponse>[0] extends infer R
  ? Extract<R, { data: unknown }>["data"]
  : never;

/**
 * Variables that the server replaces, because only the server knows the query's step. Here, the value of each variable
 * is its own name, so that the server receives `$__interval` unchanged. Otherwise, scenes would insert the interval of
 * the previous query.
 */
const REPLACED_BY_SERVER: ScopedVars = Object.fromEntries(
  ["__interval", "__interval_ms"].map((name) => [name, { text: `$${name}`, value: `$${name}` }]),
);

/** A Prometheus data source through Grafana's query API. Replaces variables; the server runs the queries. */
export class PrometheusDataSource extends RuntimeDataSource {
  override annotations = alertAnnotations;

  constructor(settings: DataSourceSettings) {
    super(settings.type, settings.uid);
  }

  override query(asked: DataQueryRequest): Observable<DataQueryResponse> {
    const scoped = { ...asked.scopedVars, ...REPLACED_BY_SERVER };
    const queries = (asked.targets as PromQuery[])
      .filter((target) => target.hide !== true && target.expr !== "")
      .map((target) => ({
        ...target,
        expr: interpolate(target.expr, scoped),
        legendFormat: target.legendFormat && interpolate(target.legendFormat, scoped),
        interval: target.interval && interpolate(target.interval, scoped),
        datasource: { type: this.type, uid: this.uid },
        intervalMs: asked.intervalMs,
        maxDataPoints: asked.maxDataPoints,
        requestId: `${asked.requestId}${target.refId}`,
        utcOffsetSec: asked.range.to.utcOffset() * 60,
      }));
    const body = { queries, from: `${asked.range.from.valueOf()}`, to: `${asked.range.to.valueOf()}` };
    return from(request<BackendAnswer>(`/api/ds/query?ds_type=${this.type}`, body)).pipe(
      map((data) => toDataQueryResponse({ data }, queries)),
      map((response) => ({ ...response, data: tablesPerQuery(response.data, queries) })),
    );
  }

  /**
   * Returns the values of a variable. Its query is `label_values(series, label)`, `label_values(label)` or
   * `label_names()`.
   */
  override async metricFindQuery(
    query: string | { query: string },
    { range, scopedVars = {} }: { range?: TimeRange; scopedVars?: ScopedVars } = {},
  ): Promise<MetricFindValue[]> {
    const text = interpolate(typeof query === "string" ? query : query.query, {
      ...scopedVars,
      ...rangeVariables(range),
    });
    const [, series, label] = /^label_values\((?:(.+),\s*)?(\w+)\s*\)\s*$/s.exec(text) ?? [];
    if (label !== undefined) return this.labels(`label/${label}/values`, series, range);
    if (/^label_names\(\)\s*$/.test(text)) return this.labels("labels", undefined, range);
    throw new Error(`The Grafana stand-in supports only label_values and label_names, not: ${text}`);
  }

  private async labels(path: string, series?: string, range?: TimeRange): Promise<MetricFindValue[]> {
    const query = new URLSearchParams();
    if (series !== undefined) query.set("match[]", series.trim());
    if (range !== undefined) {
      query.set("start", String(Math.floor(range.from.valueOf() / 1000)));
      query.set("end", String(Math.ceil(range.to.valueOf() / 1000)));
    }
    const { data } = await request<{ data: string[] }>(
      `/api/datasources/uid/${this.uid}/resources/api/v1/${path}?${query.toString()}`,
    );
    return data.map((text) => ({ text, value: text }));
  }
}

/** Replaces variables by their values, including those of the surrounding scene. */
function interpolate(text: string, scopedVars: ScopedVars): string {
  const scene: unknown = (scopedVars.__sceneObject?.value as object | undefined)?.valueOf();
  if (!isSceneObject(scene)) return text;
  return sceneGraph.interpolate(scene, text, scopedVars, (value, variable) =>
    interpolateQueryExpr(value as string | string[], variable),
  );
}

function rangeVariables(range: TimeRange | undefined): ScopedVars {
  if (range === undefined) return {};
  const ms = range.to.diff(range.from);
  const seconds = Math.round(ms / 1000);
  return {
    __range_ms: { text: ms, value: ms },
    __range_s: { text: seconds, value: seconds },
    __range: { text: `${seconds}s`, value: `${seconds}s` },
  };
}
