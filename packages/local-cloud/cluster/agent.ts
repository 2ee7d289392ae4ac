import path from "node:path";
import type { Cloud } from "../hosts/cloud.ts";
import { controlPlaneHost } from "./records/cluster.ts";
import { startProgram } from "../hosts/in-network.ts";

/**
 * Starts the components that GKE runs beside a cluster: the controllers for load balancers, Ingresses and
 * network policies, and each node's persistent disk driver. Does nothing if they already run.
 */
export async function startAgent(cloud: Cloud): Promise<void> {
  await startProgram(cloud, controlPlaneHost, "agent", [
    path.join(cloud.programsDir, "agent/main.mjs"),
    cloud.name,
  ]);
}
