import { readdir, rm, rmdir } from "node:fs/promises";
import path from "node:path";
import type { Cloud } from "../hosts/cloud.ts";
import { cgroupRoot } from "./node-config.ts";
import { findEngineProcesses, findProcesses, killProcesses } from "../hosts/processes.ts";

/**
 * Kills every process of the cloud and removes all its files, even after a crash. Mounts, interfaces and
 * firewall rules exist only in the hosts' namespaces and disappear with them.
 */
export async function removeCloud(cloud: Cloud): Promise<void> {
  // The engine comes first because it would continue to create resources.
  await killProcesses(await findEngineProcesses(cloud));
  await endProcesses(cloud);
  await rm(cloud.dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  // rmdir fails if the directory contains other clouds, which is harmless.
  await rmdir(path.dirname(cloud.dir)).catch(() => undefined);
}

/** Kills every process of the cloud and removes the cgroups of its pods. Data stays. */
export async function endProcesses(cloud: Cloud): Promise<void> {
  // A host that starts in the meantime is found in the next iteration.
  for (let found = await findProcesses(cloud); found.length > 0; found = await findProcesses(cloud)) {
    await killProcesses(found);
  }
  for (const dir of await cgroupDirs(cloud)) await removeCgroups(dir);
}

async function cgroupDirs(cloud: Cloud): Promise<string[]> {
  const base = "/sys/fs/cgroup";
  const hierarchies = await readdir(base).catch(() => []);
  const name = cgroupRoot(cloud);
  return [path.join(base, name), ...hierarchies.map((hierarchy) => path.join(base, hierarchy, name))];
}

/** Removes a cgroup and its children. The kernel allows only rmdir, and only of a cgroup without children. */
async function removeCgroups(dir: string): Promise<void> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeCgroups(path.join(dir, entry.name));
  await rmdir(dir).catch((error: unknown) => {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  });
}
