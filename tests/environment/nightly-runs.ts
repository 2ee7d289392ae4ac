import type { Series } from "./promtool.ts";

/** A run in virtual time, with its pushed values. */
export interface Night {
  /** Time of the push in minutes. Minute 0 is Unix time 0, at which `promtool test rules` starts. */
  at: number;
  level: string;
  /** Results by test: 1 is a pass, 0 a failure. @default the test "leak" passes */
  results?: Record<string, number>;
  /** Value of `k8sfv_occupancy_mean_bytes` of felix in the test "leak". @default 100 */
  mean?: number;
  /** Heap of felix in bytes at each step of the test "leak". @default no heap metrics */
  heap?: number[];
}

export const DAY = 24 * 60;
export const HOUR = 60;

/** A value that a series has from one minute to another, including both. */
type Span = [from: number, to: number, value: number];

/**
 * Returns the series that Prometheus scrapes of these runs. The series of a run begin in the minute after its
 * push and end when the next push replaces them; those of the last run end at the minute `until`.
 */
export function rawSeries(runs: Night[], until: number): Series[] {
  return [...exposed(runs, until)].map(([series, spans]) => ({ series, values: notation(spans) }));
}

/**
 * Returns the series of {@link rawSeries} as OpenMetrics text, with one sample per minute and without staleness
 * markers.
 *
 * @param more - returns labels to add to all samples of a minute, e.g. `pod="a",instance="b"`
 */
export function rawText(runs: Night[], until: number, more: (minute: number) => string): string {
  const text: string[] = [];
  for (const [series, spans] of exposed(runs, until)) {
    for (const [from, to, value] of spans) {
      for (let minute = from; minute <= to; minute++) {
        const labelled = series.replace("{", `{${more(minute)},`).replaceAll(", ", ",");
        text.push(`${labelled} ${value} ${minute * 60}\n`);
      }
    }
  }
  return `${text.join("")}# EOF\n`;
}

function exposed(runs: Night[], until: number): Map<string, Span[]> {
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

/** Returns a series with one value from one minute to another, followed by a staleness marker. */
export function constant(series: string, from: number, to: number, value: number): Series {
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

/**
 * Returns one run of the code level "A" per day, pushed at minute 60 of the day.
 *
 * @param of - returns the fields to override in the run of a night; the first night is 0
 */
export function nightly(nights: number, of: (night: number) => Partial<Night> = () => ({})): Night[] {
  return Array.from({ length: nights }, (_, n) => ({ at: n * DAY + 60, level: "A", ...of(n) }));
}
