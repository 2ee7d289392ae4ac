import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { hash } from "bcryptjs";
import { PERSISTENCE_INTERVAL } from "../../components/push-guard.ts";
import { freePort } from "../../tools/free-port.ts";

/** The real push gateway as a process of this machine, and before it the guard, as in their pod. */
export interface GatewayProcess {
  /** Where one pushes: the guard. */
  url: string;
  /** Where the gateway itself is. */
  directUrl: string;
  /** Ends the gateway as a crash would. */
  stop: () => Promise<void>;
  /** The same, and starts it again, on the same file. */
  crash: () => Promise<void>;
  /** Resident memory of the guard, in bytes. */
  guardMemory: () => Promise<number>;
  /** Stops and goes on with the gateway, as a disk that hangs would. */
  pause: (paused: boolean) => void;
  /** Asks both to end, as a pod's end does, and waits until the guard has. */
  terminate: () => Promise<void>;
  close: () => Promise<void>;
}

const guard = fileURLToPath(new URL("../../components/push-guard/main.mjs", import.meta.url));

/**
 * @param binary - the push gateway's
 * @param dir - for its file
 * @param limits - of the guard, in bytes
 * @param guardFile - what the guard takes for the gateway's file
 * @param credentials - "USER:PASSWORD" that the gateway asks for; by default nothing
 */
export async function startGateway(
  binary: string,
  dir: string,
  { limits = { push: 1e6, store: 1e7 }, credentials = "", guardFile = path.join(dir, "metrics") } = {},
): Promise<GatewayProcess> {
  const [port, gatewayPort] = [await freePort(), await freePort()];
  const file = path.join(dir, "metrics");
  const [url, directUrl] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${gatewayPort}`];
  const flags = [
    `--persistence.file=${file}`,
    `--persistence.interval=${PERSISTENCE_INTERVAL}`,
    "--log.level=error",
  ];
  if (credentials !== "") {
    const [user = "", password = ""] = credentials.split(":");
    const webConfig = path.join(dir, "web.yml");
    await writeFile(webConfig, `basic_auth_users:\n  ${user}: ${await hash(password, 4)}\n`);
    flags.push(`--web.config.file=${webConfig}`);
  }
  const start = (): ChildProcess =>
    spawn(binary, [`--web.listen-address=127.0.0.1:${gatewayPort}`, ...flags], { stdio: "ignore" });
  let gateway = start();
  const before = spawn(process.execPath, [guard], {
    stdio: "ignore",
    env: {
      GUARD_PORT: String(port),
      GUARD_GATEWAY_PORT: String(gatewayPort),
      GUARD_FILE: guardFile,
      GUARD_MAX_PUSH_BYTES: String(limits.push),
      GUARD_MAX_STORE_BYTES: String(limits.store),
      ...(credentials === "" ? {} : { GUARD_CREDENTIALS: credentials }),
    },
  });
  const end = async (child: ChildProcess): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  };
  await untilReady(url);
  return {
    url,
    directUrl,
    stop: () => end(gateway),
    guardMemory: async () => {
      const status = await readFile(`/proc/${before.pid}/status`, "utf8");
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
    },
    crash: async () => {
      await end(gateway);
      gateway = start();
    },
    pause: (paused) => gateway.kill(paused ? "SIGSTOP" : "SIGCONT"),
    terminate: async () => {
      const ended = once(before, "exit");
      for (const child of [gateway, before]) child.kill("SIGTERM");
      await ended;
    },
    close: async () => {
      await Promise.all([end(gateway), end(before)]);
    },
  };
}

/** Waits until a push gateway, or the guard before it, says that it is ready. */
export async function untilReady(url: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const ready = await fetch(`${url}/-/ready`).catch(() => undefined);
    if (ready?.ok === true) return;
    if (Date.now() > deadline) throw new Error(`${url} is not ready after 20 s`);
    await sleep(20);
  }
}
