import { fileURLToPath } from "node:url";
import type { Cloud } from "./cloud.ts";
import { controlPlaneMachine } from "./control-plane.ts";
import { startProgram } from "./in-network.ts";

/**
 * Starts what Google runs beside a cluster: the controllers that give load balancers and
 * Ingresses their addresses, what enforces network policies, and the persistent disk driver of each node. Does nothing when it runs already.
 */
export async function startAgent(cloud: Cloud): Promise<void> {
  const program = fileURLToPath(new URL("agent-main.ts", import.meta.url));
  await startProgram(cloud, controlPlaneMachine, "agent", [program, cloud.name]);
}
