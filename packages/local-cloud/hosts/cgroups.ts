import { readdir, rmdir } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cloud } from "./cloud.ts";

/** Maximum time in milliseconds to wait until killed processes have left their cgroup. */
const busyTimeoutMs = 5_000;

/** Returns the parent cgroup of the host's containers, relative to the root of each cgroup hierarchy. */
export function hostCgroup(cloud: Cloud, host: string): string {
  return `${cloud.cgroup}/${host}`;
}

/**
 * Removes a cgroup whose processes were killed, and its descendants, in every cgroup hierarchy. Hierarchies without
 * this cgroup are left unchanged.
 *
 * @param base mount point of cgroup v2, or the directory of the mount points of cgroup v1
 * @throws Error when the cgroup can't be removed, e.g. because a process is still in it after 5 s
 */
export async function removeCgroup(cgroup: string, base = "/sys/fs/cgroup"): Promise<void> {
  const hierarchies = await readdir(base).catch(() => []);
  for (const hierarchy of [".", ...hierarchies]) await removeTree(path.join(base, hierarchy, cgroup));
}

/**
 * Removes a cgroup and its descendants, children first: the kernel supports only rmdir(2) of a cgroup without children.
 */
async function removeTree(dir: string): Promise<void> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeTree(path.join(dir, entry.name));
  const deadline = Date.now() + busyTimeoutMs;
  for (;;) {
    const code = await rmdir(dir).catch((error: unknown) => errorCode(error));
    if (code === undefined || code === "ENOENT" || code === "ENOTDIR") return;
    if (code !== "EBUSY" || Date.now() > deadline) throw new Error(`Can't remove cgroup ${dir}: ${code}`);
    await sleep(20);
  }
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
