import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { pushProxyProgram } from "../../components/push-proxy.ts";
import { freePort } from "../../lib/free-port.ts";
import { TEST_RUN } from "../kill-leftovers.ts";
import { FakePushgateway } from "./fake-pushgateway.ts";

interface PushProxyOptions {
  /** Maximum bytes of a push. @default 1,000,000 */
  push?: number;
  /** Maximum bytes of the Pushgateway's file. @default 10,000,000 */
  store?: number;
  /** Seconds for which a push waits for the Pushgateway. @default 20 */
  timeoutSeconds?: number;
  /** "USER:PASSWORD" that the Pushgateway requires. @default none */
  credentials?: string;
  /** Content of the fake Pushgateway's persistence file at the start. @default no file */
  content?: string;
}

export interface Answer {
  status: number;
  text: string;
  headers: Headers;
}

/** The push proxy's process between a client and a fake Pushgateway. */
export interface PushProxyProcess {
  url: string;
  gateway: FakePushgateway;
  canaryPort: number;
  /** Sends a change of a group, e.g. of "job/a". The default method is PUT. */
  push: (group: string, body?: string | Buffer, options?: PushOptions) => Promise<Answer>;
  /** Returns the values of the proxy's own metrics by name with labels. */
  metrics: () => Promise<Record<string, number>>;
  /** Paths that were flushed to the disk, in order. */
  flushed: () => string[];
  /** Path of the fake Pushgateway's persistence file. */
  file: string;
  /** Suspends the process with SIGSTOP, like a lack of CPU, or resumes it. */
  pause: (paused: boolean) => void;
  /** Sends SIGTERM and returns the exit code. */
  terminate: () => Promise<number>;
  close: () => Promise<void>;
}

interface PushOptions {
  method?: string;
  headers?: Record<string, string>;
}

/** Module that records the path of each file that the process flushes to the disk with `FileHandle.sync`. */
const RECORD_FLUSHES = `
import { appendFileSync, readlinkSync } from "node:fs";
import { open } from "node:fs/promises";
const handle = await open(".");
const prototype = Object.getPrototypeOf(handle);
await handle.close();
const { sync } = prototype;
prototype.sync = function () {
  appendFileSync(process.env.FLUSHES, readlinkSync("/proc/self/fd/" + this.fd) + "\\n");
  return sync.call(this);
};
`;

/** Starts the push proxy and its Pushgateway, and waits until both are ready. */
export async function startPushProxy({
  push: pushLimit = 1_000_000,
  store = 10_000_000,
  timeoutSeconds = 20,
  credentials = "",
  content,
}: PushProxyOptions = {}): Promise<PushProxyProcess> {
  const dir = mkdtempSync(path.join(tmpdir(), "k8sfv-proxy-"));
  const at = (name: string) => path.join(dir, name);
  const [port, gatewayPort, canaryPort] = [await freePort(), await freePort(), await freePort()];
  buildCanary(at("canary.mjs"));
  writeFileSync(at("push-proxy.mjs"), pushProxyProgram());
  writeFileSync(at("record.mjs"), RECORD_FLUSHES);
  writeFileSync(at("flushes"), "");
  if (content !== undefined) writeFileSync(at("metrics"), content);
  const authorization = credentials === "" ? undefined : basic(credentials);
  const gateway = new FakePushgateway({ port: gatewayPort, file: at("metrics"), authorization });
  await gateway.start();
  const child = spawn(process.execPath, ["--import", at("record.mjs"), at("push-proxy.mjs")], {
    stdio: ["ignore", "ignore", process.env.PUSH_PROXY_LOG === undefined ? "ignore" : "inherit"],
    // Starts a process group. Killing the group also kills the proxy's child process: the canary, which tries each push
    // first.
    detached: true,
    env: {
      [TEST_RUN]: process.env[TEST_RUN],
      FLUSHES: at("flushes"),
      PUSH_PROXY_PORT: String(port),
      PUSH_PROXY_GATEWAY_PORT: String(gatewayPort),
      PUSH_PROXY_CANARY_PORT: String(canaryPort),
      PUSH_PROXY_CANARY_PROGRAM: at("canary.mjs"),
      PUSH_PROXY_FILE: at("metrics"),
      PUSH_PROXY_MAX_PUSH_BYTES: String(pushLimit),
      PUSH_PROXY_MAX_STORED_BYTES: String(store),
      PUSH_PROXY_TIMEOUT_SECONDS: String(timeoutSeconds),
      PUSH_PROXY_CREDENTIALS: credentials,
    },
  });
  const exit = once(child, "exit") as Promise<[number]>;
  const url = `http://127.0.0.1:${port}`;
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
  const push = async (group: string, body: string | Buffer = "", options: PushOptions = {}) => {
    const { method = "PUT", headers: more = {} } = options;
    const response = await fetch(`${url}/metrics/${group}`, {
      method,
      headers: { ...headers, ...more },
      body: method === "DELETE" ? undefined : new Uint8Array(Buffer.from(body)),
    });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  await until(async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok === true);
  return {
    url,
    gateway,
    canaryPort,
    push,
    metrics: async () => {
      const text = await (await fetch(`${url}/-/push-proxy/metrics`, { headers })).text();
      const samples = text.matchAll(/^([a-z_]+(?:\{.*\})?) (\S+)$/gm);
      return Object.fromEntries([...samples].map(([, name = "", value]) => [name, Number(value)]));
    },
    flushed: () => readFileSync(at("flushes"), "utf8").trim().split("\n"),
    file: at("metrics"),
    pause: (paused) => child.kill(paused ? "SIGSTOP" : "SIGCONT"),
    terminate: async () => {
      child.kill("SIGTERM");
      return (await exit)[0];
    },
    close: async () => {
      try {
        process.kill(-(child.pid ?? 0), "SIGKILL");
      } catch {
        // The process group has already ended.
      }
      await exit;
      await gateway.kill();
      rmSync(dir, { recursive: true });
    },
  };
}

/** Returns the header `Authorization` for "USER:PASSWORD". */
export function basic(credentials: string): string {
  return `Basic ${Buffer.from(credentials).toString("base64")}`;
}

/** Waits until a condition is true. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not true within 20 s: ${String(condition)}`);
    await sleep(5);
  }
}

function buildCanary(outfile: string): void {
  buildSync({
    entryPoints: [fileURLToPath(new URL("fake-canary.ts", import.meta.url))],
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    banner: { js: `#!${process.execPath}` },
    outfile,
  });
  chmodSync(outfile, 0o755);
}
