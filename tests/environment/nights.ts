import type { Series } from "./promtool.ts";

/** A run in virtual time: what it pushed, and when. */
export interface Night {
  /** Minute of the push. */
  at: number;
  level: string;
  /** Results by test: 1 a pass, 0 a failure. */
  results?: Record<string, number>;
  /** Mean occupancy of the test "leak" by felix. */
  mean?: number;
}

export const DAY = 24 * 60;
export const HOUR = 60;

/**
 * The raw series that Prometheus scrapes of these runs, as the gateway shows them: each from the minute after
 * its push until the next push replaces it, the last until `until`.
 */
export function rawSeries(runs: Night[], until: number): Series[] {
  const shown = new Map<string, [from: number, to: number, value: number][]>();
  const add = (series: string, from: number, to: number, value: number) =>
    shown.set(series, [...(shown.get(series) ?? []), [from, to, value]]);
  runs.forEach(({ at, level, results = { leak: 1 }, mean = 100 }, n) => {
    const end = runs[n + 1]?.at ?? until;
    add('push_time_seconds{job="k8sfv"}', at + 1, end, at * 60);
    for (const [test, result] of Object.entries(results)) {
      add(`k8sfv_test_result{job="k8sfv", test_name="${test}", code_level="${level}"}`, at + 1, end, result);
    }
    const labels = `job="k8sfv", process="felix", test_name="leak", code_level="${level}"`;
    add(`k8sfv_occupancy_mean_bytes{${labels}}`, at + 1, end, mean);
  });
  return [...shown].map(([series, spans]) => ({ series, values: notation(spans) }));
}

/** A series with one value from a minute to another, marked as gone after it. */
export function held(series: string, from: number, to: number, value: number): Series {
  return { series, values: notation([[from, to, value]]) };
}

function notation(spans: [from: number, to: number, value: number][]): string {
  const words: string[] = [];
  let now = 0;
  for (const [from, to, value] of spans) {
    if (now > 0 && from > now) {
      words.push("stale");
      now++;
    }
    if (from > now) words.push(`_x${from - now}`);
    words.push(`${value}x${to - from}`);
    now = to + 1;
  }
  return [...words, "stale"].join(" ");
}

/** Every night at minute 60 of the day, so many nights, one code level. */
export function nightly(nights: number, of: (night: number) => Partial<Night> = () => ({})): Night[] {
  return Array.from({ length: nights }, (_, n) => ({ at: n * DAY + 60, level: "A", ...of(n) }));
}
