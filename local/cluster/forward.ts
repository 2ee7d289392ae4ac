import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readFile, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo, type Server } from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Cloud } from "./cloud.ts";
import { commandIn, machinePid } from "./machine.ts";
import { findProcesses, killProcesses, marks, outlivingEnvironment } from "./processes.ts";

/** Where the connections of one port go, inside the VPC. */
export interface Forward {
  host: string;
  targetPort: number;
  /** Port of 127.0.0.1 to listen on; when it is taken, or none is given, a free one. */
  port?: number;
}

/**
 * Forwards ports of 127.0.0.1 into the VPC: the listening sockets are opened here, in the caller's network,
 * and handed to a process in the network of `machine`, which connects to the targets. A forwarder of that
 * name that runs already with the same targets is kept; ports stay the same from start to start.
 *
 * @returns the ports listened on, in the order of `forwards`
 */
export async function startForwarder(
  cloud: Cloud,
  name: string,
  machine: string,
  forwards: Forward[],
): Promise<number[]> {
  const role = `forward:${name}`;
  const targets = forwards.map(({ host, targetPort }) => `${host}:${targetPort}`);
  const portsFile = path.join(cloud.dir, "forwards", `${name}.json`);
  const known = JSON.parse(await readFile(portsFile, "utf8").catch(() => "[]")) as number[];
  const running = await findProcesses(cloud, role);
  // One that was started in an earlier life of the machine is in a network that leads nowhere any more.
  const life = `--machine=${await machinePid(cloud, machine)}`;
  const same = running.some(({ argv }) => [...targets, life].every((word) => argv.includes(word)));
  if (known.length === targets.length && same) return known;
  await killProcesses(running);
  const servers = await Promise.all(forwards.map(({ port }, index) => listen(known[index] ?? port ?? 0)));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await mkdir(path.dirname(portsFile), { recursive: true });
  await writeFile(portsFile, JSON.stringify(ports));
  const program = fileURLToPath(new URL("forwarder.mjs", import.meta.url));
  await spawnInNetwork(cloud, machine, role, [process.execPath, program, ...targets, life], servers);
  return ports;
}

/**
 * Starts a process of the cloud that lives on after this one, in the network of a machine but with the
 * file system and processes of the host, and hands it sockets of the caller's network. Resolves when the
 * process has said that it is ready.
 *
 * @throws Error naming the log when the process ends before that
 */
export async function spawnInNetwork(
  cloud: Cloud,
  machine: string,
  role: string,
  command: string[],
  servers: Server[] = [],
): Promise<void> {
  const logFile = path.join(cloud.dir, "logs", `${role.replace(":", "-")}.log`);
  await mkdir(path.dirname(logFile), { recursive: true });
  const log = await open(logFile, "a", 0o600);
  const [file, ...args] = await commandIn(cloud, machine, [...command, ...marks(cloud, role)], "network");
  const child = spawn(file, args, {
    cwd: "/",
    env: outlivingEnvironment(),
    detached: true,
    stdio: ["ignore", log.fd, log.fd, "ipc"],
  });
  await log.close();
  const ready = Promise.race([
    once(child, "message"),
    once(child, "exit").then(() => {
      throw new Error(`The local cloud's ${role} ended at once; its log is ${logFile}`);
    }),
  ]);
  for (const [index, server] of servers.entries()) child.send({ index }, server, { keepOpen: false });
  await ready;
  for (const server of servers) server.close();
  child.disconnect();
  child.unref();
}

async function listen(port: number): Promise<Server> {
  const server = createServer();
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
    return server;
  } catch (error) {
    if (port !== 0 && error instanceof Error && "code" in error && error.code === "EADDRINUSE")
      return listen(0);
    throw error;
  }
}
