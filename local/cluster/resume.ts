import type { Cloud } from "./cloud.ts";
import { controlPlaneMachine, findCluster, startCluster } from "./control-plane.ts";
import { ciMachine, machinePid } from "./machine.ts";
import { findNetwork, routerMachine, startNetwork } from "./network.ts";
import { listNodes, startNode } from "./node.ts";
import { findEngineProcesses } from "./processes.ts";
import { endProcesses } from "./remove.ts";

/**
 * Brings a cloud back to what it was asked for. When one of its machines is gone (a crash, a reboot), what is
 * left of the others is cleared and all are started again, with their data; a cloud that runs is left alone.
 *
 * @throws Error while the engine is at work in it: what it is still making is not there yet, but not lost
 */
export async function resumeCloud(cloud: Cloud): Promise<void> {
  await refuseDuringRun(cloud);
  const network = await findNetwork(cloud);
  const cluster = await findCluster(cloud);
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

/** @throws Error while the engine is at work in the cloud */
export async function refuseDuringRun(cloud: Cloud): Promise<void> {
  const [process] = await findEngineProcesses(cloud);
  if (process === undefined) return;
  throw new Error(
    `Another run is going on in the local cloud "${cloud.name}": process ${process.pid}, ${process.argv.join(" ").trim()}. ` +
      `Wait until it ends, or stop it; npm stop ends it too, and removes the whole cloud`,
  );
}
