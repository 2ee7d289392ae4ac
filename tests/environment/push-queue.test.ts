import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  MAX_CLIENTS,
  MAX_RETRIED_BYTES,
  METRICS_PORT_VARIABLE,
  PUSH_QUEUE_HEALTH_PATH,
  pushQueueConfig,
} from "../../components/push-queue-config.ts";
import { ensureToolchain } from "k8sfv-local-cloud/toolchain";
import { freePort } from "../../lib/free-port.ts";
import { startGateway } from "./gateway-process.ts";
import { held, lost, pushUntil } from "./pushes.ts";

/** Time in ms for which 500 clients wait: 8 s, and 5 minutes with `npm run test-long`. */
const WAIT_MS = process.env.K8SFV_LONG === "1" ? 300_000 : 8_000;

/**
 * Tests the push queue's configuration with this computer's HAProxy, as a process on 127.0.0.1. Does not
 * prove what the queue's two pods and their Services do, which push-front.test.ts tests, nor that the
 * official image's version of HAProxy behaves the same.
 */
describe("the push queue", () => {
  let dir: string;
  let haproxy: ChildProcess;
  let url: string;
  let metricsUrl: string;
  /** Port of the server to which HAProxy forwards requests. */
  let serverPort: number;
  const closing: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), "k8sfv-queue-"));
  });
  beforeEach(async () => {
    serverPort = await freePort();
    await startQueue();
  });
  afterAll(() => rm(dir, { recursive: true }));
  afterEach(async () => {
    haproxy.kill("SIGKILL");
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function startQueue(): Promise<void> {
    const [port, metricsPort] = [await freePort(), await freePort()];
    url = `http://127.0.0.1:${port}`;
    metricsUrl = `http://127.0.0.1:${metricsPort}/metrics`;
    const server = { host: "127.0.0.1", port: serverPort };
    const file = path.join(dir, "haproxy.cfg");
    await writeFile(file, pushQueueConfig({ listenAddress: "127.0.0.1", port, server }));
    const env = { ...withSbin(), [METRICS_PORT_VARIABLE]: `${metricsPort}` };
    const { stderr } = await execa("haproxy", ["-c", "-f", file], { env });
    expect(stderr).not.toMatch(/WARNING|ALERT/);
    haproxy = spawn("haproxy", ["-db", "-f", file], { stdio: "ignore", env });
    await expect.poll(() => ask(PUSH_QUEUE_HEALTH_PATH)).toBe(200);
  }

  const ask = async (target: string) => (await fetch(`${url}${target}`).catch(() => undefined))?.status ?? 0;

  /** Starts a server in place of the push proxy. */
  async function serve(listener: Parameters<typeof createServer>[1]): Promise<Server> {
    const server = createServer(listener).listen(serverPort, "127.0.0.1");
    await once(server, "listening");
    closing.push(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return server;
  }

  /** Pushes a body without a timeout. @returns the status; 0 without a response */
  async function put(target: string, body: Buffer, signal?: AbortSignal): Promise<number> {
    return new Promise((resolve) => {
      const { port } = new URL(url);
      const headers = { "content-length": body.length };
      const sent = request(
        { port, method: "PUT", path: target, headers, signal, agent: false },
        (response) => {
          response.resume().on("end", () => {
            resolve(response.statusCode ?? 0);
          });
        },
      );
      sent.on("error", () => {
        resolve(0);
      });
      sent.end(body);
    });
  }

  it("holds pushes while the Pushgateway is stopped, and loses none of them", async () => {
    const binary = (await ensureToolchain({ only: ["pushgateway"] })).path("pushgateway");
    const start = async () => startGateway(binary, dir, { port: serverPort });
    let gateway = await start();
    closing.push(() => gateway.close());
    let over = false;
    const pushing = pushUntil(url, 8, () => over);
    for (let times = 0; times < 4; times += 1) {
      await sleep(1_000);
      // Alternates between two ways to stop the Pushgateway: with SIGTERM, like a deleted pod, and without it, like a
      // pod on a lost node.
      if (times % 2 === 0) await gateway.terminate();
      await gateway.close();
      await sleep(1_500);
      gateway = await start();
    }
    await sleep(1_000);
    over = true;
    const pushes = await pushing;
    console.log("stopped 4 times:", pushes.answers, `slowest ${pushes.slowestMs} ms`);
    expect([...pushes.answers.keys()]).toEqual([202]);
    expect(lost(pushes, await held(url))).toEqual([]);
  });

  it("forwards pushes in the order of their arrival, except the 32 that it sends concurrently", async () => {
    const waiting = Array.from({ length: 200 }, async (_, at) => {
      await sleep(at * 10);
      return put(`/${at}`, Buffer.alloc(1_000));
    });
    await sleep(3_000);
    const order: number[] = [];
    await serve((incoming, outgoing) => {
      order.push(Number(incoming.url?.slice(1)));
      incoming.resume().on("end", () => outgoing.writeHead(202).end());
    });
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([202]));
    expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, at) => at));
    // HAProxy sends up to 32 pushes concurrently, and these may overtake each other. So the first 32 can arrive in any
    // order. The server responds to each push at once, so each later one should arrive at most 31 places away from its
    // place in the queue.
    const queued = order.filter((number) => number >= 32);
    const places = queued.toSorted((a, b) => a - b);
    expect(Math.max(...queued.map((number, at) => Math.abs(number - (places[at] ?? 0))))).toBeLessThan(32);
  });

  it("drops a push whose client has closed the connection", async () => {
    const gone = new AbortController();
    const abandoned = Array.from({ length: 50 }, (_, at) =>
      put(`/gone-${at}`, Buffer.alloc(100), gone.signal),
    );
    await sleep(500);
    gone.abort();
    await Promise.all(abandoned);
    const later = put("/later", Buffer.alloc(100));
    await sleep(500);
    const found: string[] = [];
    await serve((incoming, outgoing) => {
      found.push(incoming.url ?? "");
      incoming.resume().on("end", () => outgoing.writeHead(202).end());
    });
    expect(await later).toBe(202);
    await sleep(1_500);
    expect(found).toEqual(["/later"]);
  });

  it.each([
    ["retries", MAX_RETRIED_BYTES, 202],
    ["does not retry", 4 * MAX_RETRIED_BYTES, 502],
  ])("%s a push of %d bytes whose connection to the server was reset", async (_, size, expected) => {
    let attempts = 0;
    await serve((incoming, outgoing) => {
      attempts += 1;
      if (attempts === 1) incoming.once("data", () => incoming.socket.resetAndDestroy());
      else incoming.resume().on("end", () => outgoing.writeHead(202).end());
    });
    const status = await put("/cut", Buffer.alloc(size));
    // HAProxy may close the connection while the client still sends its body. Then the client sees no response (0).
    expect(expected === 502 ? [502, 0] : [202]).toContain(status);
    expect(attempts).toBe(expected === 202 ? 2 : 1);
  });

  it("retries a push after 503, and forwards other responses", async () => {
    const statuses = [503, 503, 202, 400, 507, 504];
    await serve((incoming, outgoing) => {
      incoming.resume().on("end", () => outgoing.writeHead(statuses.shift() ?? 500).end());
    });
    const found = [];
    for (let times = 0; times < 4; times += 1) found.push(await put("/some", Buffer.alloc(100)));
    expect(found).toEqual([202, 400, 507, 504]);
  });

  it("accepts all pushes after one of two HAProxy processes on its port was killed", async () => {
    let received = 0;
    await serve((incoming, outgoing) => {
      received += 1;
      incoming.resume().on("end", () => outgoing.writeHead(202).end());
    });
    const file = path.join(dir, "haproxy.cfg");
    const env = { ...withSbin(), [METRICS_PORT_VARIABLE]: `${await freePort()}` };
    const other = spawn("haproxy", ["-db", "-f", file], { stdio: "ignore", env });
    closing.push(() => Promise.resolve(other.kill("SIGKILL")));
    await expect
      .poll(async () => (await fetch(`http://127.0.0.1:${env[METRICS_PORT_VARIABLE]}/metrics`)).status)
      .toBe(200);
    haproxy.kill("SIGKILL");
    await once(haproxy, "exit");
    for (let times = 0; times < 50; times += 1) expect(await put(`/${times}`, Buffer.alloc(100))).toBe(202);
    expect(received).toBe(50);
  });

  it("responds to reads with 503 within 6 s while the Pushgateway is stopped, and to its own health check with 200", async () => {
    const started = Date.now();
    expect(await ask("/metrics")).toBe(503);
    expect(Date.now() - started).toBeLessThan(6_000);
    expect(await ask(PUSH_QUEUE_HEALTH_PATH)).toBe(200);
    expect(await (await fetch(metricsUrl)).text()).toContain(
      'haproxy_backend_current_queue{proxy="pushes"} 0',
    );
  });

  it("stays within its memory limit while 500 clients wait, and then forwards all their pushes", async () => {
    const memory = async () =>
      Number(/^VmRSS:\s+(\d+) kB/m.exec(await readFile(`/proc/${haproxy.pid}/status`, "utf8"))?.[1]) / 1024;
    const body = Buffer.alloc(2 ** 20, "#");
    const waiting = Array.from({ length: 500 }, (_, at) => put(`/${at}`, body));
    await sleep(WAIT_MS);
    const most = await memory();
    const received = new Set<string>();
    await serve((incoming, outgoing) => {
      incoming.resume().on("end", () => {
        received.add(incoming.url ?? "");
        outgoing.writeHead(202).end();
      });
    });
    const statuses = await Promise.all(waiting);
    console.log(`500 clients with 1 MiB each waited ${WAIT_MS / 1000} s: ${Math.round(most)} MiB`);
    expect(new Set(statuses)).toEqual(new Set([202]));
    expect(received.size).toBe(500);
    // The memory limit of HAProxy's container is 96 MiB, of which the kernel may use 128 KiB for each client.
    expect(most).toBeLessThan(96 - (MAX_CLIENTS * 128) / 1024);
  }, 600_000);

  it("on SIGUSR1 accepts no more connections, and forwards all waiting pushes before it exits", async () => {
    const waiting = put("/held", Buffer.alloc(100));
    await sleep(500);
    haproxy.kill("SIGUSR1");
    await sleep(1_000);
    expect(await put("/late", Buffer.alloc(100))).toBe(0);
    const ended = once(haproxy, "exit");
    await serve((incoming, outgoing) => {
      incoming.resume().on("end", () => outgoing.writeHead(202).end());
    });
    expect(await waiting).toBe(202);
    await ended;
  });
});

/** Debian installs HAProxy in /usr/sbin, which is not on every PATH. */
function withSbin() {
  return { PATH: `${process.env.PATH ?? ""}:/usr/sbin` };
}
