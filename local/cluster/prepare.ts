import { copyFile, link, mkdir, rm, symlink } from "node:fs/promises";
import path from "node:path";
import type { Cloud } from "./cloud.ts";

/** What a cloud is made of, by name of the file it becomes in the cloud. */
export interface CloudParts {
  binaries: Record<string, string>;
  crds: Record<string, string>;
  /** Folder of the image store. */
  imageStore: string;
}

/**
 * Makes the cloud's folder and lays into it what its machines and its engine use: as hard links, or copies
 * where the cache is on another file system. A symbolic link would not do, since a machine has a /var and
 * a /tmp of its own, where the cache may lie. Again on a running cloud it only renews the links.
 */
export async function prepareCloud(cloud: Cloud, parts: CloudParts): Promise<void> {
  // Pods of any user must be able to pass through to their disks.
  await mkdir(cloud.dir, { recursive: true, mode: 0o755 });
  await mkdir(cloud.disksDir, { recursive: true, mode: 0o755 });
  await lay(cloud.binDir, parts.binaries);
  await lay(cloud.crdsDir, parts.crds);
  await rm(cloud.imageStore, { force: true });
  await symlink(parts.imageStore, cloud.imageStore);
}

async function lay(dir: string, targets: Record<string, string>): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o755 });
  for (const [name, target] of Object.entries(targets)) {
    const file = path.join(dir, name);
    await rm(file, { force: true });
    await link(target, file).catch(() => copyFile(target, file));
  }
}
