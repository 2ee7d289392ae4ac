import type { Cloud } from "./cloud.ts";
import { controlPlaneMachine, readCluster, startCluster } from "./control-plane.ts";
import { ciMachine, machinePid } from "./machine.ts";
import { readNetwork, routerMachine, startNetwork } from "./network.ts";
import { listNodes, startNode } from "./node.ts";
import { endProcesses } from "./remove.ts";

/**
 * Brings a cloud back to what it was asked for. When one of its machines is gone (a crash, a reboot), what is
 * left of the others is cleared and all are started again, with their data; a cloud that runs is left alone.
 */
export async function resumeCloud(cloud: Cloud): Promise<void> {
  const network = await readNetwork(cloud).catch(() => undefined);
  const cluster = await readCluster(cloud).catch(() => undefined);
  const nodes = await listNodes(cloud);
  const machines = [
    ...(network === undefined ? [] : [routerMachine, ciMachine]),
    ...(cluster === undefined ? [] : [controlPlaneMachine]),
    ...nodes.map(({ name }) => name),
  ];
  const pids = await Promise.all(machines.map((machine) => machinePid(cloud, machine)));
  if (machines.length === 0 || pids.includes(undefined)) await endProcesses(cloud);
  if (network !== undefined) await startNetwork(cloud, network);
  if (cluster !== undefined) {
    await startCluster(cloud, cluster);
    await Promise.all(nodes.map((node) => startNode(cloud, node)));
  }
}
