import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { ask } from "../../../lib/prometheus.ts";
import type { Cloud } from "../cluster/index.ts";
import { ensureToolchain } from "../toolchain/build.ts";

/** One line of the output of the program `history` (history/runs.go): a generated run. */
export interface HistoryRun {
  /** Time of the push, as Unix time in milliseconds. */
  pushedAt: number;
  codeLevel: string;
  /** Number of the night; 0 is the oldest. */
  night: number;
  results: Record<string, number>;
  passing: number;
  occupancy: { test: string; meanBytes: number; increasePercent: number; heapBytes: number[] }[];
}

/**
 * Returns the Unix time in milliseconds at which the recording rules record a run: the first full minute after the
 * run's first scrape.
 */
export function recordedAt({ pushedAt }: HistoryRun): number {
  const scraped = Math.floor(pushedAt / 10_000) * 10_000 + 10_000;
  return Math.floor(scraped / 60_000) * 60_000 + 60_000;
}

/**
 * Adds generated nightly runs to the history of the cloud's Prometheus. They end 10 s before Prometheus's own first
 * sample.
 *
 * @param args options of the program `history` (history/main.go)
 */
export async function loadHistory(cloud: Cloud, prometheus: string, args: string[]): Promise<HistoryRun[]> {
  const toolchain = await ensureToolchain({ only: ["history"] });
  const until = new Date((await firstScrape(prometheus)) - 10_000).toISOString();
  return loadBlocks(cloud, prometheus, async (folder) => {
    const all = [...args, "-until", until, "-out", folder];
    const { stdout } = await execa(toolchain.path("history"), all);
    return stdout.split("\n").map((line) => JSON.parse(line) as HistoryRun);
  });
}

/**
 * Returns the Unix time in milliseconds of Prometheus's first sample. Waits for the first scrape, which comes within
 * one scrape interval after the start of a new Prometheus.
 *
 * @throws Error when there is no sample after a minute
 */
export async function firstScrape(prometheus: string): Promise<number> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const { headStats } = await ask<{ headStats: { numSeries: number; minTime: number } }>(
      prometheus,
      "/status/tsdb",
    );
    if (headStats.numSeries > 0) return headStats.minTime;
    if (Date.now() > deadline) throw new Error("Prometheus has no sample after 60 s");
    await sleep(1000);
  }
}

/**
 * Moves TSDB blocks created by `write` into Prometheus's database and waits up to two minutes until they are loaded.
 */
async function loadBlocks<T>(
  cloud: Cloud,
  prometheus: string,
  write: (folder: string) => Promise<T>,
): Promise<T> {
  const scratch = await mkdtemp(path.join(cloud.dir, "blocks-"));
  try {
    const folder = path.join(scratch, "out");
    await mkdir(folder);
    const result = await write(folder);
    const database = await databaseFolder(cloud);
    const { uid, gid } = await stat(database);
    await execa("chown", ["--recursive", `${uid}:${gid}`, folder]);
    const blocks = (await readdir(folder)).filter((name) => /^[0-9A-Z]{26}$/.test(name));
    for (const block of blocks) await rename(path.join(folder, block), path.join(database, block));
    await waitUntilLoaded(prometheus, blocks);
    return result;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Returns Prometheus's database directory on its disk. */
export async function databaseFolder(cloud: Cloud): Promise<string> {
  const { stdout } = await execa("find", [cloud.disksDir, "-type", "d", "-name", "prometheus-db"]);
  const [found, ...more] = stdout.split("\n").filter((line) => line !== "");
  if (found === undefined || more.length > 0)
    throw new Error(`Expected one directory prometheus-db below ${cloud.disksDir}, found: ${stdout}`);
  return found;
}

/**
 * Waits until Prometheus has loaded the blocks. Also finds blocks that Prometheus has already compacted, because the
 * compacted block lists them as its sources.
 */
async function waitUntilLoaded(prometheus: string, blocks: string[]): Promise<void> {
  const deadline = Date.now() + 120_000;
  for (;;) {
    const { blocks: all } = await ask<{ blocks: { compaction: { sources: string[] } }[] }>(
      prometheus,
      "/status/tsdb/blocks",
    );
    const loaded = new Set(all.flatMap(({ compaction }) => compaction.sources));
    if (blocks.every((block) => loaded.has(block))) return;
    if (Date.now() > deadline)
      throw new Error(`Prometheus has not loaded ${blocks.length} new blocks after 120 s`);
    await sleep(1000);
  }
}
