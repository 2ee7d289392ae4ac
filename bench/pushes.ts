import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cloud } from "../local/cluster/index.ts";
import type { LocalAddresses } from "../local/forwards.ts";
import { ensureToolchain } from "../local/toolchain/build.ts";
import { queryGrafana } from "../tools/grafana-query.ts";
import type { Measure } from "./page.ts";
import { quantile } from "./statistics.ts";

/** Prometheus scrapes every so many seconds: the floor. */
const SCRAPE_SECONDS = 10;
const SAMPLES = 40;
/** A few that push one after the other wait for the disk each time; many share its writes, up to what it can. */
const CLIENTS = { few: 8, many: 64 };
const ROUNDS = 2;
const SECONDS = 10;
const BARE_PORT = 39091;

/** From the push to the moment that Grafana's data source answers with it. */
export async function measureFreshness(
  { pushGateway, grafana }: LocalAddresses,
  outputs: Record<string, unknown>,
): Promise<Measure> {
  const seconds: number[] = [];
  for (let mark = 1; mark <= SAMPLES; mark++) {
    const started = performance.now();
    if (!(await push(pushGateway, "bench", mark))) throw new Error("The push gateway refused a push");
    while (!(await queryGrafana(grafana, outputs, 'bench_value{job="bench"}')).includes(mark))
      await sleep(50);
    seconds.push((performance.now() - started) / 1000);
    // Spread over the scrape interval.
    await sleep(Math.random() * SCRAPE_SECONDS * 1000);
  }
  const [p50, p99] = [quantile(seconds, 0.5), quantile(seconds, 0.99)];
  return {
    what: "push to readable through Grafana, p99",
    result: `${p99.toFixed(1)} s`,
    aim: `≤ ${SCRAPE_SECONDS + 1} s: the scrape interval and 1 s`,
    from: `${SAMPLES} pushes; p50 ${p50.toFixed(1)} s`,
  };
}

/**
 * Pushes a second through the guard, against the gateway's program alone. The whole path leads through a
 * forward, the load balancer's address and the pod's network; the bare one is on this machine.
 */
export async function measureThroughput(cloud: Cloud, gateway: string): Promise<Measure[]> {
  const toolchain = await ensureToolchain({ only: ["pushgateway"] });
  const folder = await mkdtemp(path.join(tmpdir(), "k8sfv-bench-"));
  const args = [
    `--web.listen-address=127.0.0.1:${BARE_PORT}`,
    `--persistence.file=${path.join(folder, "metrics")}`,
  ];
  const bare = spawn(toolchain.path("pushgateway"), args, { stdio: "ignore" });
  try {
    const url = `http://127.0.0.1:${BARE_PORT}`;
    while (!(await push(url, "bench", 0))) await sleep(100);
    return [await compare(url, gateway, CLIENTS.many, "≥ 0.9"), await compare(url, gateway, CLIENTS.few, "")];
  } finally {
    bare.kill();
    await once(bare, "exit");
    await rm(folder, { recursive: true });
  }
}

async function compare(bare: string, gateway: string, clients: number, aim: string): Promise<Measure> {
  let [alone, whole] = [0, 0];
  // In turn, so that other work of the machine hits both.
  for (let round = 0; round < ROUNDS; round++) {
    alone += (await rate(bare, clients)) / ROUNDS;
    whole += (await rate(gateway, clients)) / ROUNDS;
  }
  return {
    what: `pushes a second of ${clients} clients through the whole path ÷ the bare gateway's`,
    result: (whole / alone).toFixed(2),
    aim,
    from: `${whole.toFixed(0)} ÷ ${alone.toFixed(0)}; the whole path answers when it is on the disk`,
  };
}

/** Accepted pushes a second, of clients that each push one after the other. */
async function rate(url: string, clients: number): Promise<number> {
  const until = performance.now() + SECONDS * 1000;
  let accepted = 0;
  const client = async (name: string): Promise<void> => {
    for (let value = 1; performance.now() < until; value++) if (await push(url, name, value)) accepted += 1;
  };
  await Promise.all(Array.from({ length: clients }, (_, at) => client(`client-${at}`)));
  return accepted / SECONDS;
}

async function push(url: string, instance: string, value: number): Promise<boolean> {
  try {
    const response = await fetch(`${url}/metrics/job/bench/instance/${instance}`, {
      method: "PUT",
      body: `# TYPE bench_value gauge\nbench_value ${value}\n`,
    });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
