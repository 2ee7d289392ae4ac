import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { hash } from "bcryptjs";
import { PERSISTENCE_INTERVAL, pushProxyProgram } from "../../components/push-proxy.ts";
import { freePort } from "../../lib/free-port.ts";
import { TEST_RUN } from "../kill-leftovers.ts";

/** The real Pushgateway with the push proxy as processes of this computer, connected as in their pod. */
export interface GatewayProcess {
  /** URL of the proxy, to which clients push. */
  url: string;
  /** URL of the Pushgateway, for requests that bypass the proxy. */
  directUrl: string;
  /** Kills the Pushgateway. */
  stop: () => Promise<void>;
  /** Kills the Pushgateway and restarts it with the same file. */
  crash: () => Promise<void>;
  /** Kills the canary, which is the second Pushgateway on which the proxy tries each push. */
  killCanary: () => Promise<void>;
  /** Resident memory of the proxy without its canary, in bytes. */
  proxyMemory: () => Promise<number>;
  /** Suspends the Pushgateway with SIGSTOP, like a hanging disk, or resumes it. */
  pause: (paused: boolean) => void;
  /** Sends SIGTERM to the Pushgateway and the proxy, as when their pod is deleted, and waits until the proxy exits. */
  terminate: () => Promise<void>;
  close: () => Promise<void>;
}

export interface GatewayOptions {
  /**
   * Limits of the proxy in bytes: for a push's body, and for the Pushgateway's persistence file. @default 1 MB and 10
   * MB
   */
  limits?: { push: number; store: number };
  /** Timeout of a push in seconds, after which the proxy responds with 503. @default 25 */
  timeoutSeconds?: number;
  /** Port of the proxy. @default any free port */
  port?: number;
  /** File that the proxy reads as the Pushgateway's persistence file. @default the Pushgateway's file */
  proxyFile?: string;
  /** "USER:PASSWORD" that the Pushgateway requires. @default none */
  credentials?: string;
}

/**
 * Starts the Pushgateway and the push proxy, and waits until both are ready.
 *
 * @param binary - path of the Pushgateway's program
 * @param dir - directory of the Pushgateway's persistence file
 */
export async function startGateway(
  binary: string,
  dir: string,
  {
    limits = { push: 1e6, store: 1e7 },
    credentials = "",
    proxyFile,
    timeoutSeconds = 25,
    port: wantedPort,
  }: GatewayOptions = {},
): Promise<GatewayProcess> {
  const [port, gatewayPort, canaryPort] = [
    wantedPort ?? (await freePort()),
    await freePort(),
    await freePort(),
  ];
  const file = path.join(dir, "metrics");
  const program = path.join(dir, "push-proxy.mjs");
  await writeFile(program, pushProxyProgram());
  const [url, directUrl] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${gatewayPort}`];
  const flags = [
    `--persistence.file=${file}`,
    `--persistence.interval=${PERSISTENCE_INTERVAL}`,
    "--log.level=error",
    ...(await passwordFlags(dir, credentials)),
  ];
  const start = (): ChildProcess =>
    spawn(binary, [`--web.listen-address=127.0.0.1:${gatewayPort}`, ...flags], { stdio: "ignore" });
  let gateway = start();
  const proxy = spawn(process.execPath, [program], {
    stdio: "ignore",
    // Starts the proxy in its own process group, so that its child process, the canary, is killed with it.
    detached: true,
    env: {
      [TEST_RUN]: process.env[TEST_RUN],
      PUSH_PROXY_PORT: String(port),
      PUSH_PROXY_GATEWAY_PORT: String(gatewayPort),
      PUSH_PROXY_CANARY_PORT: String(canaryPort),
      PUSH_PROXY_CANARY_PROGRAM: binary,
      PUSH_PROXY_FILE: proxyFile ?? file,
      PUSH_PROXY_MAX_PUSH_BYTES: String(limits.push),
      PUSH_PROXY_MAX_STORED_BYTES: String(limits.store),
      PUSH_PROXY_TIMEOUT_SECONDS: String(timeoutSeconds),
      PUSH_PROXY_CREDENTIALS: credentials,
    },
  });
  const end = async (child: ChildProcess, kill = () => child.kill("SIGKILL")): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    kill();
    await ended;
  };
  await untilReady(url);
  return {
    url,
    directUrl,
    stop: () => end(gateway),
    proxyMemory: async () => {
      const status = await readFile(`/proc/${proxy.pid}/status`, "utf8");
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
    },
    crash: async () => {
      await end(gateway);
      gateway = start();
    },
    killCanary: async () => {
      const children = await readFile(`/proc/${proxy.pid}/task/${proxy.pid}/children`, "utf8");
      for (const pid of children.trim().split(" ").filter(Boolean)) process.kill(Number(pid), "SIGKILL");
    },
    pause: (paused) => gateway.kill(paused ? "SIGSTOP" : "SIGCONT"),
    terminate: async () => {
      const ended = once(proxy, "exit");
      for (const child of [gateway, proxy]) child.kill("SIGTERM");
      await ended;
    },
    close: async () => {
      await Promise.all([end(gateway), end(proxy, () => process.kill(-(proxy.pid ?? 0), "SIGKILL"))]);
    },
  };
}

/** Returns the Pushgateway's flags that require a password. */
async function passwordFlags(dir: string, credentials: string): Promise<string[]> {
  if (credentials === "") return [];
  const [user = "", password = ""] = credentials.split(":");
  const webConfig = path.join(dir, "web.yml");
  await writeFile(webConfig, `basic_auth_users:\n  ${user}: ${await hash(password, 4)}\n`);
  return [`--web.config.file=${webConfig}`];
}

/** Waits until a Pushgateway or push proxy is ready. */
export async function untilReady(url: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const ready = await fetch(`${url}/-/ready`).catch(() => undefined);
    if (ready?.ok === true) return;
    if (Date.now() > deadline) throw new Error(`${url} is not ready after 20 s`);
    await sleep(20);
  }
}
