import { formatInterval, goDuration, parseDuration, roundInterval } from "./durations.ts";

/** Arguments of stepOf. */
export interface IntervalArgs {
  from: number;
  to: number;
  /** The query's minimum step, e.g. `10m`, or the variable `$__interval` or `$__rate_interval`; empty for none. */
  interval: string;
  /** Interval in ms that the page calculated from the panel's width. */
  intervalMs: number;
  maxDataPoints: number;
  /** @default 1 */
  intervalFactor: number;
  /** The data source's scrape interval (`timeInterval`); empty for Grafana's default, 15 s. */
  scrapeInterval: string;
}

/** Maximum points per series in a Prometheus response. */
const MAX_POINTS = 11_000;
const DEFAULT_SCRAPE_INTERVAL = "15s";
const RATE_INTERVAL = ["$__rate_interval", "${__rate_interval}"];
const INTERVAL = ["$__interval", "${__interval}"];

/** Returns a range query's step in ms, as Grafana's Prometheus data source does. @throws Error for a bad `interval` */
export function stepOf(args: IntervalArgs): number {
  const isVariable = args.interval.startsWith("$");
  const min = minInterval(args, isVariable ? "" : args.interval);
  const span = args.to - args.from;
  const byPoints = span / (args.maxDataPoints === 0 ? 1500 : args.maxDataPoints);
  const wanted = byPoints < min ? min : roundInterval(byPoints);
  const step = Math.max(wanted, roundInterval(span / MAX_POINTS));
  if (RATE_INTERVAL.includes(args.interval)) return rateInterval(step, args.scrapeInterval);
  return step * args.intervalFactor;
}

/**
 * Replaces the variables that Grafana's server evaluates in a query, e.g. `$__interval`. The page replaces all others.
 */
export function interpolate(expr: string, step: number, args: IntervalArgs): string {
  const range = args.to - args.from;
  const rate = RATE_INTERVAL.includes(args.interval)
    ? step
    : rateInterval(args.intervalMs, minStepOf(step, args));
  const values: Record<string, string> = {
    __interval_ms: String(step),
    __interval: formatInterval(step),
    __range_ms: String(range),
    __range_s: String(Math.round(range / 1000)),
    __range: `${Math.round(range / 1000)}s`,
    __rate_interval_ms: String(rate),
    __rate_interval: goDuration(rate),
  };
  // As in Grafana, a name is replaced whatever characters follow it. Therefore longer names come first.
  return Object.entries(values).reduce(
    (filled, [name, value]) => filled.replaceAll(`$${name}`, value).replaceAll(`\${${name}}`, value),
    expr,
  );
}

function minInterval({ intervalMs, scrapeInterval }: IntervalArgs, interval: string): number {
  if (interval !== "" && interval !== "0s") return parseDuration(interval);
  if (intervalMs !== 0) return intervalMs;
  return parseDuration(scrapeInterval === "" ? DEFAULT_SCRAPE_INTERVAL : scrapeInterval);
}

function minStepOf(step: number, { interval, scrapeInterval }: IntervalArgs): string {
  if (INTERVAL.includes(interval)) return goDuration(step);
  return interval === "" ? scrapeInterval : interval;
}

/**
 * Returns `$__rate_interval` in ms, like Grafana: the interval plus one scrape interval, but at least four scrape
 * intervals.
 */
function rateInterval(interval: number, minStep: string): number {
  const scrape = parseDuration(minStep === "" ? DEFAULT_SCRAPE_INTERVAL : minStep);
  return Math.max(interval + scrape, 4 * scrape);
}
