import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HistoryRun } from "k8sfv-local-cloud";
import { ensureToolchain } from "k8sfv-local-cloud/toolchain";
import { RECORDED_METRICS } from "../../monitoring-mixin/metrics.ts";
import { freePort } from "../../lib/free-port.ts";
import { eventually, query } from "./prometheus.ts";

const GIB = 2 ** 30;
const NIGHTS = 365;
const TESTS = 10;
/** Number of series per run: for each test its result, mean, increase and 20 steps of the heap. */
const SERIES = TESTS * 23;
/** Maximum total size of Prometheus's blocks in bytes: 80 % of the default disk size (components/prometheus.ts). */
const BLOCKS_BYTES = 200 * 0.8 * GIB;
/** Memory limit of Prometheus in bytes (components/prometheus.ts). */
const MEMORY_BYTES = 2 * GIB;

/**
 * Tests the real Prometheus, as a process on this computer, with a year of nightly runs as in production: 10
 * tests of 4 code levels, whose values are scraped every 10 s until the next push replaces them. Does not
 * test five years of runs, but extrapolates disk usage from one year.
 */
describe("Prometheus with a year of nightly runs", () => {
  let dir: string;
  let url: string;
  let prometheus: ChildProcess;
  let startedAfterMs: number;
  let blocksBytes: number;
  /** Start and end of the data as Unix time in ms. */
  let firstPush: number;
  const until = Math.floor(Date.now() / 60_000) * 60_000;

  beforeAll(async () => {
    const toolchain = await ensureToolchain({ only: ["prometheus", "history"] });
    dir = await mkdtemp(path.join(tmpdir(), "k8sfv-year-"));
    const data = path.join(dir, "data");
    const counts = ["-nights", String(NIGHTS), "-tests", String(TESTS), "-measuring-tests", String(TESTS)];
    const times = ["-until", new Date(until).toISOString(), "-fail", "0", "-miss", "0"];
    const { stdout } = await execa(toolchain.path("history"), [...counts, ...times, "-out", data]);
    firstPush = (JSON.parse(stdout.split("\n")[0] ?? "") as HistoryRun).pushedAt;
    blocksBytes = Number((await execa("du", ["--summarize", "--bytes", data])).stdout.split("\t")[0]);

    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    await writeFile(path.join(dir, "prometheus.yml"), "{}");
    const flags = [
      `--config.file=${path.join(dir, "prometheus.yml")}`,
      `--storage.tsdb.path=${data}`,
      "--storage.tsdb.retention.time=43800h",
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    const started = Date.now();
    prometheus = spawn(toolchain.path("prometheus"), flags, { stdio: "ignore" });
    await eventually(
      () => query(url, "vector(1)"),
      (found) => found.length === 1,
    );
    startedAfterMs = Date.now() - started;
  });
  afterAll(async () => {
    const ended = once(prometheus, "exit");
    prometheus.kill("SIGKILL");
    await ended;
    await rm(dir, { recursive: true, force: true });
  });

  it("returns every sample", async () => {
    const startedAt = Date.now();
    let samples = 0;
    // One query per month and metric. A single query would exceed Prometheus's timeout, and a selector of several
    // metrics fails, because count_over_time drops the names.
    for (let ago = 0; ago <= NIGHTS; ago += 31) {
      for (const metric of RECORDED_METRICS) {
        const expr = `sum(count_over_time(${metric}[31d] @ ${until / 1000} offset ${ago}d))`;
        samples += Number((await query(url, expr))[0]?.value[1] ?? 0);
      }
    }
    const scrapes = (until - firstPush) / 10_000;
    console.log(`${(samples / 1e6).toFixed(0)} million samples, counted in ${Date.now() - startedAt} ms`);
    // A scrape at the time of a push may happen before or after it.
    expect(Math.abs(samples / (scrapes * SERIES) - 1)).toBeLessThan(0.001);
  });

  it("uses so little disk space and memory that five years of runs fit", async () => {
    const memory = await residentBytes(prometheus);
    const perSample = blocksBytes / (((until - firstPush) / 10_000) * SERIES);
    console.log(
      `on disk ${(blocksBytes / GIB).toFixed(2)} GiB, ${perSample.toFixed(3)} bytes per sample; ` +
        `ready after ${startedAfterMs} ms; ${Math.round(memory / 2 ** 20)} MiB after querying all data`,
    );
    expect(5 * blocksBytes).toBeLessThan(BLOCKS_BYTES);
    expect(memory).toBeLessThan(MEMORY_BYTES);
  });
});

async function residentBytes(child: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
