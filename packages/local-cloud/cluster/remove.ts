import { rm, rmdir } from "node:fs/promises";
import path from "node:path";
import { removeCgroup } from "../hosts/cgroups.ts";
import type { Cloud } from "../hosts/cloud.ts";
import { findEngineProcesses, findProcesses, killProcesses } from "../hosts/processes.ts";

/**
 * Kills every process of the cloud and removes all its files, even after a crash. Mounts, interfaces and
 * firewall rules exist only in the hosts' namespaces and disappear with them.
 */
export async function removeCloud(cloud: Cloud): Promise<void> {
  // The engine is killed first, because it would continue to create resources.
  await killProcesses(await findEngineProcesses(cloud));
  await endProcesses(cloud);
  await rm(cloud.dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  // rmdir fails if the directory contains other clouds, which is harmless.
  await rmdir(path.dirname(cloud.dir)).catch(() => undefined);
}

/** Kills every process of the cloud and removes the cgroups of its containers. Data stays. */
export async function endProcesses(cloud: Cloud): Promise<void> {
  // The next iteration finds a host that has started in the meantime.
  for (let found = await findProcesses(cloud); found.length > 0; found = await findProcesses(cloud)) {
    await killProcesses(found);
  }
  await removeCgroup(cloud.cgroup);
}
