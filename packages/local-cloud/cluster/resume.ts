import type { Cloud } from "../hosts/cloud.ts";
import { startCluster } from "./control-plane.ts";
import { ciHost, hostPid } from "../hosts/host.ts";
import { findNetwork, routerHost, startNetwork } from "../hosts/network.ts";
import { startNode } from "./node.ts";
import { controlPlaneHost, findCluster } from "./records/cluster.ts";
import { listNodes } from "./records/nodes.ts";
import { findEngineProcesses } from "../hosts/processes.ts";
import { endProcesses } from "./remove.ts";

/**
 * If a host of the cloud has stopped (after a crash or reboot), kills all remaining processes of the cloud and starts
 * all hosts again, with their data. Leaves a running cloud unchanged.
 *
 * @throws Error while the Pulumi engine runs in the cloud, because the engine may be about to start missing hosts
 */
export async function resumeCloud(cloud: Cloud): Promise<void> {
  await assertEngineIdle(cloud);
  const network = await findNetwork(cloud);
  const cluster = await findCluster(cloud);
  const nodes = await listNodes(cloud);
  const hosts = [
    ...(network === undefined ? [] : [routerHost, ciHost]),
    ...(cluster === undefined ? [] : [controlPlaneHost]),
    ...nodes.map(({ name }) => name),
  ];
  const pids = await Promise.all(hosts.map((host) => hostPid(cloud, host)));
  if (hosts.length === 0 || pids.includes(undefined)) await endProcesses(cloud);
  if (network !== undefined) await startNetwork(cloud, network);
  if (cluster !== undefined) {
    await startCluster(cloud, cluster);
    await Promise.all(nodes.map((node) => startNode(cloud, node)));
  }
}

/**
 * Checks that no Pulumi engine runs in the cloud.
 *
 * @throws Error that names the engine's process
 */
export async function assertEngineIdle(cloud: Cloud): Promise<void> {
  const [process] = await findEngineProcesses(cloud);
  if (process === undefined) return;
  throw new Error(
    `Pulumi is already running in local cloud "${cloud.name}": process ${process.pid}, ${process.argv.join(" ").trim()}. ` +
      `Wait until it ends, or stop it. "npm stop" also stops it, and removes the whole cloud`,
  );
}
