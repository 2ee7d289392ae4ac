import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { Client } from "undici";
import { type Cloud, type LocalAddresses, ciHost, commandIn } from "k8sfv-local-cloud";
import { ensureToolchain } from "k8sfv-local-cloud/toolchain";
import { queryGrafana } from "../lib/grafana.ts";
import type { Measurement } from "./page.ts";
import { push } from "./push.ts";
import { quantile } from "./statistics.ts";

/** Prometheus's scrape interval in seconds: the longest time from a push until Prometheus scrapes it. */
const SCRAPE_SECONDS = 10;
const SAMPLES = 40;
const CLIENTS = 64;
/** Pushes per second that must be possible: 500 jobs that end within the same 20 s. */
const MIN_RATE = 25;
const ROUNDS = 3;
const SECONDS = 10;
const BARE_PORT = 39091;
const LOAD = fileURLToPath(new URL("push-load.ts", import.meta.url));

/** Measures the time from a push until Grafana's data source returns the value. */
export async function measureFreshness(
  { pushGateway, grafana }: LocalAddresses,
  outputs: Record<string, unknown>,
): Promise<Measurement> {
  const seconds: number[] = [];
  const connection = new Client(pushGateway);
  for (let mark = 1; mark <= SAMPLES; mark++) {
    const started = performance.now();
    if (!(await push(connection, "bench", mark))) throw new Error("The Pushgateway rejected a push");
    while (!(await queryGrafana(grafana, outputs, 'bench_value{job="bench"}')).includes(mark))
      await sleep(50);
    seconds.push((performance.now() - started) / 1000);
    // Distributes the pushes over the scrape interval.
    await sleep(Math.random() * SCRAPE_SECONDS * 1000);
  }
  await connection.close();
  const [p50, p99] = [quantile(seconds, 0.5), quantile(seconds, 0.99)];
  return {
    what: "push to readable through Grafana, p99",
    result: `${p99.toFixed(1)} s`,
    aim: `≤ ${SCRAPE_SECONDS + 1} s: the scrape interval and 1 s`,
    from: `${SAMPLES} pushes; p50 ${p50.toFixed(1)} s`,
    cure: "look at the duration of scrapes in Monitoring health",
  };
}

/**
 * Measures the rate of pushes from the CI host to `whole`, the value of PROMPG_URL (load balancer, push queue, push
 * proxy, disk). For comparison, it also measures the rate of pushes to a bare Pushgateway on the CI host.
 */
export async function measureThroughput(cloud: Cloud, whole: string): Promise<Measurement> {
  const toolchain = await ensureToolchain({ only: ["pushgateway"] });
  const folder = await mkdtemp(path.join(tmpdir(), "k8sfv-bench-"));
  const [file, ...args] = await onCiHost(cloud, [
    toolchain.path("pushgateway"),
    `--web.listen-address=127.0.0.1:${BARE_PORT}`,
    `--persistence.file=${path.join(folder, "metrics")}`,
  ]);
  const bare = spawn(file, args, { stdio: "ignore" });
  try {
    const rates = { bare: `http://127.0.0.1:${BARE_PORT}`, whole };
    return await compare(cloud, rates);
  } finally {
    bare.kill();
    await once(bare, "exit");
    await rm(folder, { recursive: true });
  }
}

async function compare(cloud: Cloud, urls: { bare: string; whole: string }): Promise<Measurement> {
  let [bare, whole] = [0, 0];
  // Each round measures both URLs, so that other load on the computer affects both results. The first round only
  // creates the groups and is not counted.
  for (let round = 0; round <= ROUNDS; round++) {
    const ofBare = await rate(cloud, urls.bare, CLIENTS);
    const ofWhole = await rate(cloud, urls.whole, CLIENTS);
    if (round === 0) continue;
    bare += ofBare / ROUNDS;
    whole += ofWhole / ROUNDS;
  }
  return {
    what: `pushes per second of ${CLIENTS} clients`,
    result: whole.toFixed(0),
    aim: `≥ ${MIN_RATE}: 500 jobs that end within the same 20 s`,
    from: `a bare Pushgateway: ${bare.toFixed(0)}, but it responds before it writes; here each push is tried on a second Pushgateway and written to the disk before the response`,
    cure: "profile the push proxy: its canary takes one push at a time",
  };
}

/** Returns the rate of accepted pushes per second from the CI host. */
async function rate(cloud: Cloud, url: string, clients: number): Promise<number> {
  const load = [process.execPath, "--import", "tsx", LOAD, url, `${clients}`, `${SECONDS}`];
  const [file, ...args] = await onCiHost(cloud, load);
  const { stdout } = await execa(file, args);
  return Number(stdout);
}

/** Returns a command that runs in the CI host's network namespace with this computer's file system. */
function onCiHost(cloud: Cloud, command: string[]): Promise<[string, ...string[]]> {
  return commandIn(cloud, ciHost, command, "network");
}
