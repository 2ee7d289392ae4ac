import { describe, expect, test } from "vitest";
import { formatInterval, goDuration, parseDuration, parseTime } from "./durations.ts";
import { displayName } from "./frames.ts";
import { interpolate, stepOf } from "./interval.ts";

const HOUR = 3600_000;
const DAY = 24 * HOUR;

describe("a step", () => {
  const args = {
    from: 0,
    to: 30 * DAY,
    interval: "",
    intervalMs: 1000,
    maxDataPoints: 1000,
    intervalFactor: 1,
    scrapeInterval: "10s",
  };

  // Expected steps in ms, calculated by hand from the rules in Grafana's documentation and @grafana/data's
  // table of round intervals.
  test.each([
    ["the time span divided by the number of points, rounded", {}, 30 * 60_000],
    ["the minimum step when that is longer", { interval: "1h" }, HOUR],
    ["the page's interval when that is longer", { to: HOUR, intervalMs: 30_000 }, 30_000],
    ["the scrape interval without a minimum step and a page's interval", { to: HOUR, intervalMs: 0 }, 10_000],
    ["no shorter than Prometheus allows", { to: 5 * 365 * DAY, maxDataPoints: 1_000_000 }, 3 * HOUR],
    [
      "four scrapes with $__rate_interval",
      { to: HOUR, interval: "$__rate_interval", intervalMs: 1000 },
      40_000,
    ],
  ])("is %s", (_, more, expected) => {
    expect(stepOf({ ...args, ...more })).toBe(expected);
  });

  test("replaces its variable in a query, as do the range and the rate interval", () => {
    const text = (expr: string, more: object = {}) =>
      interpolate(expr, 90_000, { ...args, to: HOUR, intervalMs: 20_000, ...more });
    expect(text("a[$__interval] b[${__interval}] $__interval_ms")).toBe("a[1m] b[1m] 90000");
    expect(text("$__range $__range_s $__range_ms ${__range}")).toBe("3600s 3600 3600000 3600s");
    expect(text("$__rate_interval $__rate_interval_ms")).toBe("40s 40000");
    expect(text("$__rate_interval", { interval: "1m" })).toBe("4m0s");
    expect(text("$code_level")).toBe("$code_level");
  });
});

test("parses and formats durations and times like Grafana", () => {
  expect(["10s", "1h30m", ">2m", "30", "250ms", "1d"].map(parseDuration)).toEqual([
    10_000,
    90 * 60_000,
    120_000,
    30_000,
    250,
    DAY,
  ]);
  expect(() => parseDuration("soon")).toThrow('"soon"');
  expect([5_400_000, 15_000, 250, 0].map(goDuration)).toEqual(["1h30m0s", "15s", "250ms", "0s"]);
  expect([DAY, 90_000, 5].map(formatInterval)).toEqual(["1d", "1m", "5ms"]);
  expect(["5", "now", "now-1h", "now-1d+30m"].map((time) => parseTime(time, DAY))).toEqual([
    5,
    DAY,
    23 * HOUR,
    HOUR / 2,
  ]);
  expect(() => parseTime("yesterday", 0)).toThrow("yesterday");
});

test("names a series by its legend format", () => {
  const labels = { __name__: "up", job: "k8sfv", instance: "a" };
  const name = (legendFormat: string, its: Record<string, string> = labels) =>
    displayName(its, { expr: "sum(up)", legendFormat });
  expect(name("{{job}} on {{ instance }}{{none}}")).toBe("k8sfv on a");
  expect(name("")).toBe('up{instance="a", job="k8sfv"}');
  expect(name("", {})).toBe("sum(up)");
  expect(name("__auto")).toBe("");
});
