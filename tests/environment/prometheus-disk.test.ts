import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ensureToolchain } from "k8sfv-local-cloud/toolchain";
import { freePort } from "../../lib/free-port.ts";
import { eventually, query } from "./prometheus.ts";

const history = { days: 3, series: 60, stepSeconds: 60 };
/** Size of the disk: slightly more than the 512 MiB that Prometheus reserves when it writes a block. */
const diskSize = "640m";

/**
 * Tests the real Prometheus, as a process on this computer, with a small disk that is mounted in a mount
 * namespace of its own.
 */
describe("Prometheus on a full disk", () => {
  let dir: string;
  let disk: string;
  let url: string;
  let promtool: string;
  let binary: string;
  /** Process whose mount namespace contains the disk. The namespace exists until the process ends. */
  let holder: ChildProcess;
  let prometheus: ChildProcess | undefined;

  beforeEach(async () => {
    const toolchain = await ensureToolchain({ only: ["prometheus", "promtool"] });
    [binary, promtool] = [toolchain.path("prometheus"), toolchain.path("promtool")];
    dir = await mkdtemp(path.join(tmpdir(), "k8sfv-prometheus-"));
    disk = path.join(dir, "disk");
    await mkdir(disk);
    holder = spawn("unshare", ["--mount", "--propagation", "private", "sleep", "600"], { stdio: "ignore" });
    await eventually(
      () => inside("readlink", "/proc/self/ns/mnt"),
      (namespace) => namespace !== "",
    );
    await inside("mount", "-t", "tmpfs", "-o", `size=${diskSize}`, "disk", disk);
    await writeFile(path.join(dir, "history.txt"), openMetrics());
    await inside(promtool, "tsdb", "create-blocks-from", "openmetrics", path.join(dir, "history.txt"), disk);
  });
  afterEach(async () => {
    await end(prometheus);
    await end(holder);
    await rm(dir, { recursive: true, force: true });
  });

  const inside = async (file: string, ...args: string[]): Promise<string> => {
    const enter = [`--target=${holder.pid}`, "--mount", "--", file, ...args];
    return (await execa("nsenter", enter)).stdout;
  };
  const start = async (retentionSize: string): Promise<void> => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const config = {
      global: { scrape_interval: "1s" },
      scrape_configs: [{ job_name: "self", static_configs: [{ targets: [`127.0.0.1:${port}`] }] }],
    };
    await writeFile(path.join(dir, "prometheus.yml"), JSON.stringify(config));
    const flags = [
      `--config.file=${path.join(dir, "prometheus.yml")}`,
      `--storage.tsdb.path=${disk}`,
      "--storage.tsdb.retention.time=43800h",
      `--storage.tsdb.retention.size=${retentionSize}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    const enter = [`--target=${holder.pid}`, "--mount", "--", binary, ...flags];
    prometheus = spawn("nsenter", enter, { stdio: "ignore" });
    await eventually(
      () => query(url, "up"),
      (found) => found.length === 1,
    );
  };
  /** Returns the number of the history's samples between `from` and `to` days ago. */
  const stored = async (from: number, to: number): Promise<number> => {
    const expr = `sum(count_over_time(history[${(from - to) * 24}h] offset ${to * 24}h))`;
    return Number((await query(url, expr))[0]?.value[1] ?? 0);
  };

  it("deletes the oldest blocks first, and no more than necessary", async () => {
    await start("0");
    const whole = await stored(history.days, 1);
    expect(whole).toBeGreaterThan(0.9 * (history.days - 1) * 1440 * history.series);
    const [size] = await query(url, "prometheus_tsdb_storage_blocks_bytes");
    await end(prometheus);
    const half = Math.round(Number(size?.value[1]) / 2);
    await start(`${half}B`);
    await eventually(
      () => stored(history.days, history.days - 1),
      (samples) => samples === 0,
    );
    const newest = await stored(1, 0);
    expect(newest).toBeGreaterThan(0.9 * 1380 * history.series);
    const [left] = await eventually(
      () => query(url, `prometheus_tsdb_storage_blocks_bytes{instance="${new URL(url).host}"}`),
      (found) => Number(found[0]?.value[1]) <= half,
    );
    expect(Number(left?.value[1])).toBeGreaterThan(half / 2);
  });

  it("responds to queries while the disk is full, and stores samples again when there is free space", async () => {
    await start("0");
    const before = await stored(history.days, 0);
    const scrapes = async (): Promise<number> =>
      Number((await query(url, "sum(prometheus_tsdb_head_samples_appended_total)"))[0]?.value[1] ?? 0);
    const filler = path.join(disk, "filler");
    await inside("sh", "-c", `head --bytes=10G /dev/zero > ${filler} 2>&1 || true`);
    await sleep(8_000);
    expect(await stored(history.days, 0)).toBe(before);
    await inside("rm", filler);
    const resumed = Date.now() / 1000 + 2;
    await sleep(8_000);
    expect(await scrapes()).toBeGreaterThan(0);
    const seen = await query(url, `count_over_time(up[${Math.ceil(Date.now() / 1000 - resumed)}s])`);
    expect(Number(seen[0]?.value[1])).toBeGreaterThan(3);
    // After a crash, all imported samples still exist, and scrapes continue. Samples scraped while the disk was full
    // may be lost: Prometheus truncates its write-ahead log at the incomplete record (observed). In the real
    // environment the last run's values are not lost, because the Pushgateway still exposes them and Prometheus scrapes
    // them again.
    await end(prometheus);
    await start("0");
    expect(await stored(history.days, 0)).toBe(before);
  });
});

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child?.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

/**
 * Returns `history.days` days of samples until an hour ago as OpenMetrics text, with random values, which
 * compress badly.
 */
function openMetrics(): string {
  const { days, series, stepSeconds } = history;
  const now = Math.floor(Date.now() / 1000);
  const first = now - days * 86_400;
  const lines = ["# TYPE history gauge"];
  for (let number = 0; number < series; number += 1) {
    for (let at = first; at < now - 3600; at += stepSeconds) {
      lines.push(`history{number="${number}"} ${Math.random()} ${at}`);
    }
  }
  return `${lines.join("\n")}\n# EOF\n`;
}
