import { copyFile, link, mkdir, rm, symlink } from "node:fs/promises";
import path from "node:path";
import type { Cloud } from "../hosts/cloud.ts";

/** Paths of the files that a cloud uses. The keys are the files' names in the cloud's directory. */
export interface CloudParts {
  binaries: Record<string, string>;
  crds: Record<string, string>;
  /** Directory of the image store. */
  imageStore: string;
}

/**
 * Creates the cloud's directory and hard-links the files of the hosts and the engine into it, or copies them if they
 * are on another file system. Symbolic links to these files would not work: hosts have their own /var and /tmp, and the
 * files may be below one of these. The image store is a symbolic link, because hosts don't read it. If the directory
 * exists, as in a running cloud, only the links and copies are replaced.
 */
export async function prepareCloud(cloud: Cloud, parts: CloudParts): Promise<void> {
  // Pods run as any user and must be able to reach their disks.
  await mkdir(cloud.dir, { recursive: true, mode: 0o755 });
  await mkdir(cloud.disksDir, { recursive: true, mode: 0o755 });
  await linkFiles(cloud.binDir, parts.binaries);
  await linkFiles(cloud.crdsDir, parts.crds);
  await rm(cloud.imageStore, { force: true });
  await symlink(parts.imageStore, cloud.imageStore);
}

async function linkFiles(dir: string, targets: Record<string, string>): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o755 });
  for (const [name, target] of Object.entries(targets)) {
    const file = path.join(dir, name);
    await rm(file, { force: true });
    await link(target, file).catch(() => copyFile(target, file));
  }
}
