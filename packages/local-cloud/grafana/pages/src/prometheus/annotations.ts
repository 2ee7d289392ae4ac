import type { AnnotationEvent, AnnotationQuery, AnnotationSupport, DataFrame } from "@grafana/data";
import { FieldType, rangeUtil } from "@grafana/data";
import type { DataQuery } from "@grafana/schema";
import { of } from "rxjs";

/** An annotation query on Prometheus, e.g. on ALERTS. */
interface PromAnnotation extends AnnotationQuery {
  expr?: string;
  target?: DataQuery & { expr?: string };
  step?: string;
  /** Comma-separated labels whose values become the annotation's tags. */
  tagKeys?: string;
  /** Template of the title, with labels as `{{label}}`. */
  titleFormat?: string;
  textFormat?: string;
}

const DEFAULT_STEP = "60s";

/** Support for annotation queries on Prometheus: a region for each period in which a series exists and isn't 0. */
export const alertAnnotations: AnnotationSupport = {
  prepareAnnotation: (annotation: PromAnnotation) => annotation,
  prepareQuery: (annotation: PromAnnotation) => {
    const { expr = annotation.target?.expr, step = DEFAULT_STEP } = annotation;
    return expr === undefined ? undefined : ({ refId: "X", expr, interval: step } as DataQuery);
  },
  processEvents: (annotation: PromAnnotation, frames) =>
    of(frames.flatMap((frame) => events(annotation, frame))),
};

function events(annotation: PromAnnotation, frame: DataFrame): AnnotationEvent[] {
  const times = frame.fields.find(({ type }) => type === FieldType.time)?.values ?? [];
  const value = frame.fields.find(({ type }) => type === FieldType.number);
  if (value === undefined) return [];
  const labels = value.labels ?? {};
  const text = {
    title: withLabels(annotation.titleFormat ?? "", labels),
    text: withLabels(annotation.textFormat ?? "", labels),
    tags: (annotation.tagKeys ?? "")
      .split(",")
      .map((key) => labels[key.trim()])
      .filter((tag) => tag !== undefined),
  };
  const active = times.filter((_time: number, row: number) => Number(value.values[row]) !== 0);
  return regions(active, stepOf(annotation, frame)).map((region) => ({ ...region, ...text }));
}

/** Joins times that are at most one step apart into regions. */
function regions(times: number[], step: number): { time: number; timeEnd: number }[] {
  const found: { time: number; timeEnd: number }[] = [];
  for (const time of times) {
    const last = found.at(-1);
    if (last !== undefined && time - last.timeEnd <= step) last.timeEnd = time;
    else found.push({ time, timeEnd: time });
  }
  return found;
}

/**
 * Returns the step in ms: the annotation's step or the server's, whichever is larger. The frame contains the server's
 * step in the text "Expr: …\nStep: 1m0s".
 */
function stepOf(annotation: PromAnnotation, frame: DataFrame): number {
  const [, said] = /\nStep: (\S+)/.exec(frame.meta?.executedQueryString ?? "") ?? [];
  return rangeUtil.intervalToMs(annotation.step ?? DEFAULT_STEP) > durationMs(said)
    ? rangeUtil.intervalToMs(annotation.step ?? DEFAULT_STEP)
    : durationMs(said);
}

/** Parses a Go duration, e.g. "1h30m0s", to ms; 0 if empty. */
function durationMs(text = ""): number {
  const units: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  return [...text.matchAll(/([\d.]+)(h|ms|m|s)/g)].reduce(
    (sum, [, count, unit = ""]) => sum + Number(count) * (units[unit] ?? 0),
    0,
  );
}

function withLabels(format: string, labels: Record<string, string>): string {
  return format.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (_whole, name: string) => labels[name] ?? "");
}
