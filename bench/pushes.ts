import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { Client } from "undici";
import { ciHost, commandIn, type Cloud } from "../local/cluster/index.ts";
import type { LocalAddresses } from "../local/forwards.ts";
import { ensureToolchain } from "../local/toolchain/build.ts";
import { queryGrafana } from "../tools/grafana-query.ts";
import type { Measure } from "./page.ts";
import { push } from "./push.ts";
import { quantile } from "./statistics.ts";

/** Prometheus scrapes every so many seconds: the floor. */
const SCRAPE_SECONDS = 10;
const SAMPLES = 40;
/** A few that push one after the other wait for the disk each time; many share its writes, up to what it can. */
const CLIENTS = { few: 8, many: 64 };
const ROUNDS = 3;
const SECONDS = 10;
const BARE_PORT = 39091;
const LOAD = fileURLToPath(new URL("push-load.ts", import.meta.url));

/** From the push to the moment that Grafana's data source answers with it. */
export async function measureFreshness(
  { pushGateway, grafana }: LocalAddresses,
  outputs: Record<string, unknown>,
): Promise<Measure> {
  const seconds: number[] = [];
  const connection = new Client(pushGateway);
  for (let mark = 1; mark <= SAMPLES; mark++) {
    const started = performance.now();
    if (!(await push(connection, "bench", mark))) throw new Error("The push gateway refused a push");
    while (!(await queryGrafana(grafana, outputs, 'bench_value{job="bench"}')).includes(mark))
      await sleep(50);
    seconds.push((performance.now() - started) / 1000);
    // Spread over the scrape interval.
    await sleep(Math.random() * SCRAPE_SECONDS * 1000);
  }
  await connection.close();
  const [p50, p99] = [quantile(seconds, 0.5), quantile(seconds, 0.99)];
  return {
    what: "push to readable through Grafana, p99",
    result: `${p99.toFixed(1)} s`,
    aim: `≤ ${SCRAPE_SECONDS + 1} s: the scrape interval and 1 s`,
    from: `${SAMPLES} pushes; p50 ${p50.toFixed(1)} s`,
  };
}

/**
 * Pushes a second from the CI machine to PROMPG_URL (the load balancer, the guard, the disk), against those to the
 * gateway's program alone on that machine.
 */
export async function measureThroughput(cloud: Cloud, whole: string): Promise<Measure[]> {
  const toolchain = await ensureToolchain({ only: ["pushgateway"] });
  const folder = await mkdtemp(path.join(tmpdir(), "k8sfv-bench-"));
  const [file, ...args] = await onCiMachine(cloud, [
    toolchain.path("pushgateway"),
    `--web.listen-address=127.0.0.1:${BARE_PORT}`,
    `--persistence.file=${path.join(folder, "metrics")}`,
  ]);
  const bare = spawn(file, args, { stdio: "ignore" });
  try {
    const rates = { bare: `http://127.0.0.1:${BARE_PORT}`, whole };
    return [await compare(cloud, rates, CLIENTS.many, "≥ 0.9"), await compare(cloud, rates, CLIENTS.few, "")];
  } finally {
    bare.kill();
    await once(bare, "exit");
    await rm(folder, { recursive: true });
  }
}

async function compare(
  cloud: Cloud,
  urls: { bare: string; whole: string },
  clients: number,
  aim: string,
): Promise<Measure> {
  let [bare, whole] = [0, 0];
  // In turn, so that other work of the machine hits both. The first of each makes the groups.
  for (let round = 0; round <= ROUNDS; round++) {
    const ofBare = await rate(cloud, urls.bare, clients);
    const ofWhole = await rate(cloud, urls.whole, clients);
    if (round === 0) continue;
    bare += ofBare / ROUNDS;
    whole += ofWhole / ROUNDS;
  }
  return {
    what: `pushes a second of ${clients} clients through the whole path ÷ the bare gateway's`,
    result: (whole / bare).toFixed(2),
    aim,
    from: `${whole.toFixed(0)} ÷ ${bare.toFixed(0)}; the whole path answers when it is on the disk`,
  };
}

/** Accepted pushes a second of clients on the CI machine. */
async function rate(cloud: Cloud, url: string, clients: number): Promise<number> {
  const load = [process.execPath, "--import", "tsx", LOAD, url, `${clients}`, `${SECONDS}`];
  const [file, ...args] = await onCiMachine(cloud, load);
  const { stdout } = await execa(file, args);
  return Number(stdout);
}

/** In its network, with this machine's files. */
function onCiMachine(cloud: Cloud, command: string[]): Promise<[string, ...string[]]> {
  return commandIn(cloud, ciHost, command, "network");
}
