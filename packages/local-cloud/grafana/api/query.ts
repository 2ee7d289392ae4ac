import { Hono } from "hono";
import { z } from "zod";
import { needs, type Env } from "../core/auth.ts";
import type { DataSource, DataSources } from "../core/data-sources.ts";
import { ApiError } from "../core/errors.ts";
import { parseTime } from "../prometheus/durations.ts";
import type { Frame } from "../prometheus/frames.ts";
import { PrometheusQuery, QueryError, runQuery, type TimeRange } from "../prometheus/query.ts";
import { bodyOf } from "../core/request.ts";

const Query = z.looseObject({
  refId: z.string().default("A"),
  hide: z.boolean().default(false),
  datasource: z.object({ uid: z.string().optional() }).nullish(),
  datasourceId: z.number().int().optional(),
});
const time = z.union([z.string(), z.number()]).transform(String);
const Request = z.object({ queries: z.array(Query), from: time.default("now-1h"), to: time.default("now") });

/** Result of one query. */
type Result =
  | { status: 200; frames: Frame[] }
  | { status: number; error: string; errorSource: "downstream" | "plugin"; frames: [] };

/** `POST /api/ds/query`: returns data of several queries by `refId`. Status 400 if one of them fails. */
export function queryApi(sources: DataSources): Hono<Env> {
  const api = new Hono<Env>();
  api.post("/", needs("Viewer", "datasources:query"), async (c) => {
    const request = await bodyOf(c, Request);
    const queries = request.queries.filter(({ hide }) => !hide);
    if (queries.length === 0) throw new ApiError(400, "no queries found");
    const range = rangeOf(request);
    const found = queries.map((query) => ({ query, source: sourceOf(sources, query) }));
    const results = await Promise.all(
      found.map(async ({ query, source }) => [query.refId, await resultOf(source, query, range)] as const),
    );
    const failed = results.some(([, { status }]) => status !== 200);
    return c.json({ results: Object.fromEntries(results) }, failed ? 400 : 200);
  });
  return api;
}

function rangeOf({ from, to }: z.output<typeof Request>): TimeRange {
  const now = Date.now();
  try {
    return { from: parseTime(from, now), to: parseTime(to, now) };
  } catch (error) {
    throw new ApiError(400, error instanceof Error ? error.message : String(error));
  }
}

function sourceOf(sources: DataSources, { datasource, datasourceId }: z.output<typeof Query>): DataSource {
  if (datasource?.uid !== undefined) return sources.get("uid", datasource.uid);
  if (datasourceId !== undefined) return sources.get("id", datasourceId);
  throw new ApiError(400, "query missing data source ID/UID");
}

async function resultOf(
  source: DataSource,
  query: z.output<typeof Query>,
  range: TimeRange,
): Promise<Result> {
  try {
    if (source.type !== "prometheus")
      throw new QueryError(
        400,
        `The stand-in queries only Prometheus, not data sources of type ${source.type}`,
      );
    return { status: 200, frames: await runQuery(source, PrometheusQuery.parse(query), range) };
  } catch (error) {
    if (error instanceof QueryError || error instanceof ApiError) {
      return { status: error.status, error: error.message, errorSource: "downstream", frames: [] };
    }
    return {
      status: 400,
      error: error instanceof Error ? error.message : String(error),
      errorSource: "plugin",
      frames: [],
    };
  }
}
