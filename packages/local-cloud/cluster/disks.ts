import path from "node:path";
import type { Cloud } from "../hosts/cloud.ts";
import { Attachments } from "./csi/attachments.ts";

/**
 * Returns the records of which node each disk is attached to. They are files in the cluster's directory, so they are
 * deleted with the cluster; the disks are not.
 */
export function attachmentsOf(cloud: Cloud): Attachments {
  return new Attachments(path.join(cloud.clusterDir, "attachments"));
}

/** Zone and name of a zonal disk. */
export interface DiskName {
  zone: string;
  name: string;
}

/** Returns the node to which the disk is attached, or undefined if it is detached. */
export async function nodeWithDisk(cloud: Cloud, { zone, name }: DiskName): Promise<string | undefined> {
  return (await attachmentsOf(cloud).holder(zone, name))?.node;
}

/**
 * Detaches the disk from its node by force, i.e. without a request to the node. Existing mounts stay on the node until
 * their pods end.
 */
export async function detachDisk(cloud: Cloud, { zone, name }: DiskName): Promise<void> {
  await attachmentsOf(cloud).release(zone, name);
}
