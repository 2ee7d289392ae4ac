import { status } from "@grpc/grpc-js";
import { CallError } from "./grpc.ts";
import type { DiskReference } from "./volume-handle.ts";

/** The real driver's prefix of Google's error message when a disk can't be attached. */
const attachFailed = "Failed to Attach: failed cloud service attach disk call: googleapi: Error 400:";

/** Error for a disk that does not exist. */
export function diskNotFound(volumeId: string, { disk, zone }: DiskReference): CallError {
  const text = `Could not find disk Key{"${disk}", zone: "${zone}"}: googleapi: Error 404: The resource '${volumeId}' was not found, notFound`;
  return new CallError(status.NOT_FOUND, text);
}

/** Error for a disk in another zone than the node. */
export function wrongZone(volumeId: string): CallError {
  const source = `https://www.googleapis.com/compute/v1/${volumeId}`;
  const why = "The disk and the instance must be in the same zone.";
  const text = `${attachFailed} Invalid value for field 'resource.source': '${source}'. ${why}, invalid`;
  return new CallError(status.INVALID_ARGUMENT, text);
}

/** Error for a disk that is attached to another node. */
export function diskInUse(volumeId: string, { project, zone }: DiskReference, node: string): CallError {
  const text =
    `Failed to Attach: failed when waiting for zonal op: operation failed (RESOURCE_IN_USE_BY_ANOTHER_RESOURCE): ` +
    `The disk resource '${volumeId}' is already being used by 'projects/${project}/zones/${zone}/instances/${node}'`;
  return new CallError(status.FAILED_PRECONDITION, text);
}
