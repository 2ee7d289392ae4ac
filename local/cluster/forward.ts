import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo, type Server } from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Cloud } from "./cloud.ts";
import { findInNetwork, spawnInNetwork } from "./in-network.ts";
import { findProcesses, killProcesses } from "./processes.ts";

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
  const same = (await findInNetwork(cloud, machine, role, targets)) !== undefined;
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
    await spawnInNetwork(cloud, machine, role, [process.execPath, program, ...targets], servers);
    return ports;
  } finally {
    // Open, they would keep their ports and this process for ever.
    for (const server of servers) server.close();
  }
}

async function listen(port: number): Promise<Server> {
  // Until the forwarder has the socket alone, some connections come here: their clients are to try again.
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
