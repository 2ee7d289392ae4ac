import { z } from "zod";
import type { DataSource } from "../core/data-sources.ts";
import { upstreamFetch } from "../core/upstream.ts";
import { goDuration } from "./durations.ts";
import { toFrames, type Frame, type PrometheusResult } from "./frames.ts";
import { interpolate, stepOf, type IntervalArgs } from "./interval.ts";

/** A query of Grafana's Prometheus data source. */
export const PrometheusQuery = z.object({
  refId: z.string().default("A"),
  expr: z.string().default(""),
  instant: z.boolean().default(false),
  range: z.boolean().default(false),
  legendFormat: z.string().default(""),
  interval: z
    .string()
    .nullish()
    .transform((value) => value ?? ""),
  intervalMs: z.number().nonnegative().default(1000),
  intervalFactor: z
    .number()
    .int()
    .nullish()
    .transform((value) => (value ?? 0) || 1),
  maxDataPoints: z.number().nonnegative().default(100),
  /** Time zone's offset in seconds, positive east of UTC. Steps are aligned to midnight in this time zone. */
  utcOffsetSec: z.number().int().default(0),
});
export type PrometheusQuery = z.output<typeof PrometheusQuery>;

/** Start and end as Unix time in ms. */
export interface TimeRange {
  from: number;
  to: number;
}

/** Thrown with Prometheus's message if it rejects a query. */
export class QueryError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

interface Answer {
  status: "success" | "error";
  data: PrometheusResult;
  errorType?: string;
  error?: string;
  warnings?: string[];
}

/**
 * Runs a query: as a range query, as an instant query at the end of the range, or both.
 *
 * @throws QueryError if Prometheus rejects the query, ApiError if it doesn't respond
 */
export async function runQuery(
  source: DataSource,
  query: PrometheusQuery,
  { from, to }: TimeRange,
): Promise<Frame[]> {
  const scrapeInterval = typeof source.jsonData.timeInterval === "string" ? source.jsonData.timeInterval : "";
  const args: IntervalArgs = { ...query, from, to, scrapeInterval };
  const step = stepOf(args);
  const expr = interpolate(query.expr, step, args);
  const asked: { path: string; parameters: Record<string, string> }[] = [];
  if (query.range || !query.instant) {
    const align = (time: number) => alignTime(time, step, query.utcOffsetSec);
    const parameters = {
      query: expr,
      start: seconds(align(from)),
      end: seconds(align(to)),
      step: seconds(step),
    };
    asked.push({ path: "/api/v1/query_range", parameters });
  }
  if (query.instant) asked.push({ path: "/api/v1/query", parameters: { query: expr, time: seconds(to) } });
  const answers = await Promise.all(asked.map(({ path, parameters }) => ask(source, path, parameters)));
  return answers.flatMap(({ data, warnings = [] }) =>
    toFrames(data, {
      refId: query.refId,
      expr,
      legendFormat: query.legendFormat,
      step,
      executed: `Expr: ${expr}\nStep: ${goDuration(step)}`,
      warnings,
    }),
  );
}

async function ask(source: DataSource, path: string, parameters: Record<string, string>): Promise<Answer> {
  const form = new URLSearchParams(parameters);
  const response =
    source.jsonData.httpMethod === "GET"
      ? await upstreamFetch(source, `${path}?${form.toString()}`)
      : await upstreamFetch(source, path, { method: "POST", body: form });
  const text = await response.text();
  const answer = parse(text);
  if (answer?.status === "success") return answer;
  if (answer !== undefined) {
    throw new QueryError(
      response.status,
      `${answer.errorType ?? "error"}: ${answer.error ?? "no reason given"}`,
    );
  }
  throw new QueryError(
    response.status,
    `unexpected response with status code ${response.status}: ${text.slice(0, 200)}`,
  );
}

function parse(text: string): Answer | undefined {
  try {
    const answer = JSON.parse(text) as Partial<Answer> | null;
    return answer?.status === undefined ? undefined : (answer as Answer);
  } catch {
    return undefined;
  }
}

/**
 * Rounds a time down to a multiple of the step in the time zone `offsetSec` east of UTC, so that a refreshed page gets
 * the same points.
 */
function alignTime(ms: number, step: number, offsetSec: number): number {
  const offset = offsetSec * 1000;
  return Math.floor((ms + offset) / step) * step - offset;
}

function seconds(ms: number): string {
  return String(ms / 1000);
}
