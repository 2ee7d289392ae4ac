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
  /** Heap of the same at each step. @default none */
  heap?: number[];
}

export const DAY = 24 * 60;
export const HOUR = 60;

/** When a series shows which value: both minutes belong to it. */
type Span = [from: number, to: number, value: number];

/**
 * The raw series that Prometheus scrapes of these runs, as the gateway shows them: each from the minute after
 * its push until the next push replaces it, the last until `until`.
 */
export function rawSeries(runs: Night[], until: number): Series[] {
  return [...shown(runs, until)].map(([series, spans]) => ({ series, values: notation(spans) }));
}

/**
 * The same as OpenMetrics: a sample a minute, and no mark where a series ends.
 *
 * @param more - labels that each series has besides at that minute
 */
export function rawText(runs: Night[], until: number, more: (minute: number) => string): string {
  const text: string[] = [];
  for (const [series, spans] of shown(runs, until)) {
    for (const [from, to, value] of spans) {
      for (let minute = from; minute <= to; minute++) {
        const labelled = series.replace("{", `{${more(minute)},`).replaceAll(", ", ",");
        text.push(`${labelled} ${value} ${minute * 60}\n`);
      }
    }
  }
  return `${text.join("")}# EOF\n`;
}

function shown(runs: Night[], until: number): Map<string, Span[]> {
  const all = new Map<string, Span[]>();
  runs.forEach((run, n) => {
    const end = runs[n + 1]?.at ?? until;
    for (const [series, value] of pushed(run)) {
      all.set(series, [...(all.get(series) ?? []), [run.at + 1, end, value]]);
    }
  });
  return all;
}

function pushed({ at, level, results = { leak: 1 }, mean = 100, heap = [] }: Night): [string, number][] {
  const labels = `job="k8sfv", process="felix", test_name="leak", code_level="${level}"`;
  return [
    ['push_time_seconds{job="k8sfv"}', at * 60],
    ...Object.entries(results).map(([test, result]): [string, number] => [
      `k8sfv_test_result{job="k8sfv", test_name=${JSON.stringify(test)}, code_level="${level}"}`,
      result,
    ]),
    [`k8sfv_occupancy_mean_bytes{${labels}}`, mean],
    ...heap.map((bytes, step): [string, number] => [
      `k8sfv_heap_alloc_bytes{${labels}, test_step="iteration${step}"}`,
      bytes,
    ]),
  ];
}

/** A series with one value from a minute to another, marked as gone after it. */
export function held(series: string, from: number, to: number, value: number): Series {
  return { series, values: notation([[from, to, value]]) };
}

function notation(spans: Span[]): string {
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
