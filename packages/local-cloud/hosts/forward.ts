import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo, type Server } from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Cloud } from "./cloud.ts";
import { findInNetwork, spawnInNetwork } from "./in-network.ts";
import { findProcesses, killProcesses, nodeCommand } from "./processes.ts";

/** Target, inside the VPC, of one forwarded port. */
export interface Forward {
  host: string;
  targetPort: number;
  /** Port of 127.0.0.1 to listen on. If it is taken, a free port is used. @default a free port */
  port?: number;
}

/**
 * Forwards ports of 127.0.0.1 into the VPC. Opens the listening sockets in the caller's network namespace and passes
 * them to a process in the network namespace of `host`, which connects to the targets. Keeps a running forwarder with
 * the same name and targets; a restarted forwarder gets the same ports, except those that are taken.
 *
 * @returns the ports, in the order of `forwards`
 */
export async function startForwarder(
  cloud: Cloud,
  name: string,
  host: string,
  forwards: Forward[],
): Promise<number[]> {
  const role = `forward:${name}`;
  const targets = forwards.map(({ host, targetPort }) => `${host}:${targetPort}`);
  const portsFile = path.join(cloud.dir, "forwards", `${name}.json`);
  const known = JSON.parse(await readFile(portsFile, "utf8").catch(() => "[]")) as number[];
  const same = (await findInNetwork(cloud, host, role, targets)) !== undefined;
  if (known.length === targets.length && same) return known;
  await killProcesses(await findProcesses(cloud, role));
  const servers: Server[] = [];
  try {
    for (const [index, { port }] of forwards.entries()) {
      servers.push(await listen(known[index] ?? port ?? 0));
    }
    const ports = servers.map((server) => (server.address() as AddressInfo).port);
    await mkdir(path.dirname(portsFile), { recursive: true });
    await writeFile(portsFile, JSON.stringify(ports));
    const program = fileURLToPath(new URL("forwarder.mjs", import.meta.url));
    await spawnInNetwork(cloud, host, role, [...nodeCommand, program, ...targets], servers);
    return ports;
  } finally {
    // Otherwise, the caller's own copies of the sockets would keep the caller running, and would keep the ports in use
    // when the forwarder has ended.
    for (const server of servers) server.close();
  }
}

async function listen(port: number): Promise<Server> {
  // Connections that arrive before the forwarder owns the socket are closed, so that their clients retry.
  const server = createServer((client) => client.destroy());
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
