import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RecordingGroup } from "../../monitoring-mixin/recording-rules.ts";
import { recordingGroups } from "../../monitoring-mixin/recording-rules.ts";
import { ask } from "../../lib/prometheus.ts";
import { type Toolchain, ensureToolchain } from "k8sfv-local-cloud/toolchain";
import { root } from "../pages.ts";
import type { Night } from "./nightly-runs.ts";
import { DAY, rawSeries, rawText } from "./nightly-runs.ts";
import { startPrometheus, type PrometheusProcess } from "./prometheus-process.ts";
import { Promtool } from "./promtool.ts";

/** A series with all its samples. Times are in seconds. */
interface Series {
  metric: Record<string, string>;
  values: [at: number, value: string][];
}

const [runs] = recordingGroups() as [RecordingGroup, RecordingGroup];
const names = runs.rules.map(({ record }) => record);

/**
 * Tests the backfill of runs from the scraped series of one Prometheus: promtool creates blocks from the
 * output, and an empty Prometheus loads them. Does not prove that the backfill works with an older Prometheus
 * as the source, or that blocks can be added to a running Prometheus.
 */
describe("npm run backfill", () => {
  let toolchain: Toolchain;
  let dir: string;
  const started: PrometheusProcess[] = [];

  beforeAll(async () => {
    toolchain = await ensureToolchain({ only: ["prometheus", "promtool", "history"] });
    dir = await mkdtemp(path.join(tmpdir(), "k8sfv-backfill-"));
  });
  afterAll(async () => {
    await Promise.all(started.map(({ close }) => close()));
    await rm(dir, { recursive: true, force: true });
  });

  const start = async (data: string, flags: string[] = []): Promise<string> => {
    const prometheus = await startPrometheus(toolchain.path("prometheus"), path.join(dir, data), flags);
    started.push(prometheus);
    return prometheus.url;
  };
  /** Creates a directory of blocks from OpenMetrics text. */
  const makeBlocks = async (text: string, data: string): Promise<void> => {
    const file = path.join(dir, `${data}.txt`);
    await writeFile(file, text);
    const args = ["tsdb", "create-blocks-from", "--quiet", "--max-block-duration=31d", "openmetrics"];
    await execa(toolchain.path("promtool"), [...args, file, path.join(dir, data)]);
  };
  /**
   * Runs the backfill, loads its output into a new Prometheus, and returns the recorded series of that
   * Prometheus.
   */
  const backfill = async (url: string, data: string, args: string[], until: number): Promise<Series[]> => {
    const { stdout, stderr } = await execa("npm", ["run", "--silent", "backfill", "--", url, ...args], {
      cwd: root,
    });
    console.log(stderr);
    await makeBlocks(`${stdout}\n`, data);
    return allRuns(await start(data), until);
  };

  it("returns the same recorded series as in the data of generated nightly runs", async () => {
    const until = Math.floor(Date.now() / 60_000) * 60;
    const counts = ["-nights", "36", "-tests", "6", "-measuring-tests", "2", "-fail", "100", "-miss", "100"];
    const times = ["-until", new Date(until * 1000).toISOString(), "-interval", "30s"];
    const others = ["-levels", "master,release-v3.31,dev", "-out", path.join(dir, "made-up")];
    await execa(toolchain.path("history"), [...counts, ...times, ...others]);
    const url = await start("made-up");
    const expected = await allRuns(url, until);
    const written = await backfill(url, "made-up-runs", [], until);

    expect(written.map(valuesOf)).toEqual(expected.map(valuesOf));
    // The program `history`, which generated the expected series, records a run at the first full minute after the
    // run's first scrape. The backfill records it at the first full minute at which a query returns the push. So the
    // two times may differ by up to two minutes.
    const late = written.flatMap(({ values }, n) =>
      values.map(([at], m) => Math.abs(at - (expected[n]?.values[m]?.[0] ?? 0))),
    );
    expect(Math.max(...late)).toBeLessThanOrEqual(120);
    expect(new Set(expected.map(nameOf))).toEqual(new Set(names.filter((name) => name !== "run:rerun")));
    const some = (name: string) => expected.filter((series) => nameOf(series) === name).map(valuesOf);
    expect(some("nightly:k8sfv_occupancy_mean_bytes:median7d")).not.toEqual(
      some("nightly:k8sfv_occupancy_mean_bytes:median30d"),
    );
  });

  it("returns the same series as the recording rules, even if the Pushgateway's pod was replaced", async () => {
    const all = nights();
    const until = 41 * DAY;
    const pod = (minute: number) => `pod="${minute < 15 * DAY + 100 ? "a" : "b"}",instance="10.8.0.4:9091"`;
    await makeBlocks(rawText(all, until, pod), "raw");
    // The imported text contains no staleness markers, so by default a series would continue for 5 minutes after its
    // last sample. With a lookback of one sample interval it ends at that sample.
    const url = await start("raw", ["--query.lookback-delta=1m"]);
    // Also copies the scraped series: after a migration, the new Prometheus contains both the scraped series and the
    // backfilled runs.
    await cp(path.join(dir, "raw"), path.join(dir, "raw-runs"), { recursive: true });
    const dates = ["--from", "1970-01-01", "--until", "1970-02-12"];
    const written = await backfill(url, "raw-runs", dates, until * 60);

    const minutes = all.map(({ at }) => at + 1);
    const others = written.flatMap(({ values }) => values).filter(([at]) => !minutes.includes(at / 60));
    expect(others).toEqual([]);
    expect(valuesOfLabel(written, "run:rerun")).toEqual(new Set(["1"]));
    const expr = '{__name__=~"(run|nightly):.+"}';
    const queries = minutes.map((minute) => ({ minute, expr, samples: samplesAt(written, minute) }));
    const promtool = await Promtool.find();
    const series = rawSeries(all, until);
    expect(await promtool.test([runs], [{ name: "the same nights", series, queries }], "1h")).toBe("");
  });
});

/**
 * Returns the runs of 40 nights and two code levels, with added and removed tests, a night without a run, a
 * rerun and a second complete run. Each run is pushed in the minute before a full hour, because promtool
 * evaluates the rules at full hours.
 */
function nights(): Night[] {
  const all = Array.from({ length: 40 }, (_, n): Night[] => [
    {
      at: n * DAY + 59,
      level: "A",
      results: { leak: n % 5 === 0 ? 0 : 1, 'says "no"': 1, ...(n % 3 === 0 ? { sometimes: 1 } : {}) },
      mean: 4e7 + ((n * 7919) % 101) / 7,
      heap: [1, 2, 3].map((step) => 4e7 + ((n * step * 104729) % 997)),
    },
    { at: n * DAY + 239, level: "B", mean: 3e7 + ((n * 31) % 17) },
    ...(n === 20 ? [{ at: n * DAY + 599, level: "A", results: { leak: 1 }, mean: 5e7 }] : []),
    ...(n === 25 ? [{ at: n * DAY + 299, level: "B", results: { leak: 0 }, mean: 5e7 }] : []),
  ]).flat();
  return all.filter(({ at }) => at !== 12 * DAY + 59);
}

/** Returns all recorded series of the last 100 days, sorted by name and labels. */
async function allRuns(url: string, until: number): Promise<Series[]> {
  const expr = encodeURIComponent(`{__name__=~"(run|nightly):.+"}[100d] @ ${until}`);
  const { result } = await ask<{ result: Series[] }>(url, `/query?query=${expr}`);
  const sorted = result.map((series) => ({ series, key: notationOf(series) }));
  return sorted.sort((one, other) => (one.key < other.key ? -1 : 1)).map(({ series }) => series);
}

function nameOf({ metric }: Series): string {
  return metric.__name__ ?? "";
}

function valuesOf({ metric, values }: Series): { metric: Record<string, string>; values: string[] } {
  return { metric, values: values.map(([, value]) => value) };
}

function valuesOfLabel(series: Series[], name: string): Set<string> {
  return new Set(
    series.filter((one) => nameOf(one) === name).flatMap(({ values }) => values.map(([, value]) => value)),
  );
}

/** Returns the samples that promtool must find at a minute. */
function samplesAt(series: Series[], minute: number): { labels: string; value: number }[] {
  return series.flatMap((one) =>
    one.values
      .filter(([at]) => at === minute * 60)
      .map(([, value]) => ({ labels: notationOf(one), value: Number(value) })),
  );
}

function notationOf(series: Series): string {
  const pairs = Object.entries(series.metric)
    .filter(([label]) => label !== "__name__")
    .sort()
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return `${nameOf(series)}{${pairs.join(", ")}}`;
}
