import { fileURLToPath } from "node:url";
import { typeScriptLoader } from "../plugin/version.ts";
import type { Cloud } from "./cloud.ts";
import { controlPlaneMachine } from "./control-plane.ts";
import { spawnInNetwork } from "./forward.ts";
import { findProcesses } from "./processes.ts";

/**
 * Starts what Google runs beside a cluster: the controllers that give load balancers and
 * Ingresses their addresses, what enforces network policies, and the persistent disk driver of each node. Does nothing when it runs already.
 */
export async function startAgent(cloud: Cloud): Promise<void> {
  if ((await findProcesses(cloud, "agent")).length > 0) return;
  const program = fileURLToPath(new URL("agent-main.ts", import.meta.url));
  const command = [process.execPath, "--import", typeScriptLoader, program, cloud.name];
  await spawnInNetwork(cloud, controlPlaneMachine, "agent", command);
}
