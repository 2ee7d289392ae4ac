import { once } from "node:events";
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensureToolchain } from "k8sfv-local-cloud/toolchain";
import { ask } from "../../lib/prometheus.ts";
import { startPrometheus, type PrometheusProcess } from "./prometheus-process.ts";
import { eventually, query } from "./prometheus.ts";
import { startThanos, type Thanos } from "./thanos.ts";

const SERIES = 100;
/**
 * Duration of a block in ms. When Prometheus writes a block, by default every two hours, it truncates its write-ahead
 * log to about 1.5 times the duration of a block. With blocks of one minute, an outage of one minute therefore has the
 * same effect as an outage of two hours with the default.
 */
const BLOCK_MS = 60_000;

/**
 * Tests an outage of the long-term store that is longer than a block of Prometheus ({@link BLOCK_MS}), and copying
 * blocks from the store back to Prometheus. Does not test the default block of two hours, because the outage would have
 * to last as long: Prometheus does not send samples from before its start, so the test can't backdate them.
 */
describe("an outage of the long-term store", () => {
  let dir: string;
  let thanos: Thanos;
  let binary: string;
  let exporter: Server;
  let sender: string;
  const started: PrometheusProcess[] = [];

  const start = async (data: string, flags: string[] = [], configuration: object = {}): Promise<string> => {
    const prometheus = await startPrometheus(binary, path.join(dir, data), flags, configuration);
    started.push(prometheus);
    return prometheus.url;
  };
  /**
   * Returns the number of samples of each series in a Prometheus API in the hour until a Unix time in seconds. The test
   * takes less than an hour, so these are all samples.
   */
  const count = async (url: string, until: number): Promise<Map<string, number>> => {
    const found = await query(url, `count_over_time(night_value[1h] @ ${until})`);
    return new Map(found.map(({ metric, value }) => [metric.series ?? "", Number(value[1])]));
  };

  beforeAll(async () => {
    binary = (await ensureToolchain({ only: ["prometheus"] })).path("prometheus");
    dir = await mkdtemp(path.join(tmpdir(), "k8sfv-outage-"));
    thanos = await startThanos({ dir });
    await eventually(
      () => query(thanos.queryUrl, "vector(1)"),
      (found) => found.length === 1,
    );
    let scrapes = 0;
    exporter = createServer((_, response) => {
      scrapes++;
      const series = Array.from({ length: SERIES }, (_, n) => `night_value{series="${n}"} ${scrapes * n}\n`);
      response.writeHead(200, { "Content-Type": "text/plain; version=0.0.4" }).end(series.join(""));
    }).listen(0, "127.0.0.1");
    await once(exporter, "listening");
    const target = `127.0.0.1:${(exporter.address() as AddressInfo).port}`;
    sender = await start("sender", [`--storage.tsdb.min-block-duration=${BLOCK_MS / 1000}s`], {
      global: { scrape_interval: "1s" },
      scrape_configs: [{ job_name: "nights", static_configs: [{ targets: [target] }] }],
      remote_write: [{ name: "long-term", url: thanos.writeUrls[0] }],
    });
  });
  afterAll(async () => {
    exporter.close();
    exporter.closeAllConnections();
    await Promise.all(started.map(({ close }) => close()));
    await thanos.close();
    await rm(dir, { recursive: true, force: true });
  });

  it("loses no sample if Prometheus writes a block during the outage", async () => {
    const blocks = async () => (await ask<{ blocks: object[] }>(sender, "/status/tsdb/blocks")).blocks.length;
    await eventually(blocks, (found) => found > 0, 3 * BLOCK_MS);
    const before = await blocks();
    await thanos.stopReceive(0, "SIGKILL");
    await thanos.stopReceive(1, "SIGKILL");
    await sleep(BLOCK_MS);
    expect(await blocks()).toBeGreaterThan(before);
    await thanos.startReceive(0);
    await thanos.startReceive(1);
    const until = Math.floor(Date.now() / 1000);
    const local = await count(sender, until);
    expect(local.size).toBe(SERIES);
    const stored = await eventually(
      () => count(thanos.queryUrl, until),
      (found) => [...local].every(([series, samples]) => found.get(series) === samples),
      2 * BLOCK_MS,
    );
    console.log(
      `${local.size} series with ${local.get("0")} samples each, of ${BLOCK_MS / 1000} s without a receiver`,
    );
    expect(stored).toEqual(local);
  });

  it("allows copying all samples back to Prometheus as blocks", async () => {
    // The last block that Thanos Receive writes lacks the newest sample. Therefore the test counts only samples up to
    // the time `until`, and first waits for newer ones.
    const until = Math.floor(Date.now() / 1000);
    await sleep(10_000);
    await started[0]?.close();
    const stored = await count(thanos.queryUrl, until);
    // On SIGTERM both replicas upload their blocks.
    await thanos.stopReceive(0, "SIGTERM");
    await thanos.stopReceive(1, "SIGTERM");
    const blocks = (await readdir(thanos.bucket)).filter((name) => name.startsWith("01"));
    expect(blocks.length).toBeGreaterThanOrEqual(2);
    for (const block of blocks) {
      await cp(path.join(thanos.bucket, block), path.join(dir, "back", block), { recursive: true });
    }
    const prometheus = await start("back");
    expect(stored.size).toBe(SERIES);
    expect(await count(prometheus, until)).toEqual(stored);
  });
});
