import { readdir, rm, rmdir } from "node:fs/promises";
import path from "node:path";
import type { Cloud } from "./cloud.ts";
import { cgroupRoot } from "./node-config.ts";
import { findEngineProcesses, findProcesses, killProcesses } from "./processes.ts";

/**
 * Ends every process of the cloud and removes everything it wrote, whatever state a crash left it in. Mounts,
 * interfaces and firewall rules are in the namespaces of its machines and go with them.
 */
export async function removeCloud(cloud: Cloud): Promise<void> {
  // First the engine, which would go on making things.
  await killProcesses(await findEngineProcesses(cloud));
  await endProcesses(cloud);
  await rm(cloud.dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  // Only when no other cloud is there.
  await rmdir(path.dirname(cloud.dir)).catch(() => undefined);
}

/** Ends every process of the cloud and clears the control groups of its pods; data stays. */
export async function endProcesses(cloud: Cloud): Promise<void> {
  // A machine being started while this runs shows up in the next round.
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

/** The kernel removes control groups one by one, the deepest first, and only by rmdir. */
async function removeCgroups(dir: string): Promise<void> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeCgroups(path.join(dir, entry.name));
  await rmdir(dir).catch((error: unknown) => {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  });
}
