import path from "node:path";
import type { Cloud } from "./cloud.ts";
import { Attachments } from "./csi/attachments.ts";

/** Which node of the cloud's cluster has which disk. They end with the cluster. */
export function attachmentsOf(cloud: Cloud): Attachments {
  return new Attachments(path.join(cloud.clusterDir, "attachments"));
}

/** A zonal disk. */
export interface DiskName {
  zone: string;
  name: string;
}

/** The node that has the disk; undefined when none has. */
export async function diskHolder(cloud: Cloud, { zone, name }: DiskName): Promise<string | undefined> {
  return (await attachmentsOf(cloud).holder(zone, name))?.node;
}

/**
 * Takes the disk away from the node that has it, as pulling its plug would: the node is not asked, and what
 * is mounted there stays so until the pod ends.
 */
export async function detachDisk(cloud: Cloud, { zone, name }: DiskName): Promise<void> {
  await attachmentsOf(cloud).release(zone, name);
}
