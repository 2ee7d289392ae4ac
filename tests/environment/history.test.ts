import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HistoryRun } from "../../packages/local-cloud/prometheus-data.ts";
import { ensureToolchain } from "../../packages/local-cloud/toolchain/build.ts";
import { freePort } from "../../tools/free-port.ts";
import { eventually, query } from "./prometheus.ts";

const GIB = 2 ** 30;
const NIGHTS = 365;
const TESTS = 10;
const METRICS = [
  "k8sfv_test_result",
  "k8sfv_occupancy_mean_bytes",
  "k8sfv_occupancy_increase_percent",
  "k8sfv_heap_alloc_bytes",
];
/** Per run: of each test its result, mean, increase and 20 steps of the heap. */
const SERIES = TESTS * 23;
/** The disk and its share for blocks: what config and components/prometheus.ts give when nothing else is said. */
const BLOCKS_BYTES = 200 * 0.8 * GIB;
/** What Prometheus may take, its limit in components/prometheus.ts. */
const MEMORY_BYTES = 2 * GIB;

/**
 * A year of nights as they are in production, on the real Prometheus as a process of this machine: 10 tests of
 * 4 code levels, every value scraped every 10 s until the next run's push replaces it. Not proved here: five
 * years, which are reckoned from one.
 */
describe("a year of nights", () => {
  let dir: string;
  let url: string;
  let prometheus: ChildProcess;
  let startedAfterMs: number;
  let blocksBytes: number;
  /** From when to when it is, in ms. */
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

  it("is there whole, every sample of it", async () => {
    const asked = Date.now();
    let samples = 0;
    // A month and a metric a query: for all of it Prometheus would need longer than it gives one, and of several
    // metrics it can't count samples at once, since a count has no name.
    for (let ago = 0; ago <= NIGHTS; ago += 31) {
      for (const metric of METRICS) {
        const expr = `sum(count_over_time(${metric}[31d] @ ${until / 1000} offset ${ago}d))`;
        samples += Number((await query(url, expr))[0]?.value[1] ?? 0);
      }
    }
    const scrapes = (until - firstPush) / 10_000;
    console.log(`${(samples / 1e6).toFixed(0)} million samples, counted in ${Date.now() - asked} ms`);
    // At a push the scrape falls before or after it.
    expect(Math.abs(samples / (scrapes * SERIES) - 1)).toBeLessThan(0.001);
  });

  it("takes a disk and a memory that five years fit into", async () => {
    const memory = await residentBytes(prometheus);
    const perSample = blocksBytes / (((until - firstPush) / 10_000) * SERIES);
    console.log(
      `on the disk ${(blocksBytes / GIB).toFixed(2)} GiB, ${perSample.toFixed(3)} bytes a sample; ` +
        `ready after ${startedAfterMs} ms; ${Math.round(memory / 2 ** 20)} MiB after a query of all`,
    );
    expect(5 * blocksBytes).toBeLessThan(BLOCKS_BYTES);
    expect(memory).toBeLessThan(MEMORY_BYTES);
  });
});

async function residentBytes(child: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
