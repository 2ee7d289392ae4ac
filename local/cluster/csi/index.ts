import { rm, stat } from "node:fs/promises";
import path from "node:path";
import * as grpc from "@grpc/grpc-js";
import type { Attachments } from "./attachments.ts";
import { CallError, implement, listen, loadService } from "./grpc.ts";
import { driverName, zoneKey } from "./manifests.ts";
import type { Mounts } from "./mounts.ts";
import { elsewhere, inUse, notFound } from "./refusals.ts";
import { parseVolumeHandle, type DiskReference } from "./volume-handle.ts";

export { Attachments } from "./attachments.ts";
export { csiDriver, driverName, zoneKey } from "./manifests.ts";
export { mountsOf, type Mounts } from "./mounts.ts";

/** What a node's driver needs to know. */
export interface CsiNodeOptions {
  nodeName: string;
  /** Zone of the node, and so of the disks it can use, e.g. `us-central1-a`. */
  zone: string;
  /** Socket of the driver's services, here. */
  socketPath: string;
  /** The same socket as the node's kubelet sees it. Default: `socketPath`. */
  kubeletSocketPath?: string;
  /** Socket in the kubelet's folder `plugins_registry`, here. */
  registrationSocketPath: string;
  /** Folder with a folder for each disk that exists. */
  disksDir: string;
  /** Which node has which disk; shared by the drivers of all nodes. */
  attachments: Attachments;
  mounts: Mounts;
  /** Told what the kubelet said of the registration: undefined, or why it refused. Default: errors to stderr. */
  onRegistered?: (error: string | undefined) => void;
}

/** A running driver. */
export interface CsiNode {
  /** Ends it and removes its sockets. Mounts stay: they are the node's. */
  close(): Promise<void>;
}

interface PublishRequest {
  volumeId: string;
  targetPath: string;
  volumeCapability?: { block?: object | null } | null;
  readonly: boolean;
}

type UnpublishRequest = Pick<PublishRequest, "volumeId" | "targetPath">;

/**
 * Starts the persistent disk driver of one node and registers it with the node's kubelet. The kubelet finds
 * the registration socket by itself, also when it starts later or again.
 *
 * @throws Error when a socket can't be made
 */
export async function startCsiNode(options: CsiNodeOptions): Promise<CsiNode> {
  const driver = new grpc.Server();
  driver.addService(loadService("csi.proto", "csi.v1.Identity").service, implement(identity()));
  driver.addService(loadService("csi.proto", "csi.v1.Node").service, implement(node(options)));
  const registrar = new grpc.Server();
  const registration = loadService("registration.proto", "pluginregistration.Registration");
  registrar.addService(registration.service, implement(registrationOf(options)));

  const close = async (): Promise<void> => {
    registrar.forceShutdown();
    driver.forceShutdown();
    await rm(options.registrationSocketPath, { force: true });
    await rm(options.socketPath, { force: true });
  };
  try {
    // The kubelet calls the driver as soon as it sees the registration, so the driver is first.
    await listen(driver, options.socketPath);
    await listen(registrar, options.registrationSocketPath);
  } catch (error) {
    driver.forceShutdown();
    registrar.forceShutdown();
    throw error;
  }
  return { close };
}

function registrationOf(options: CsiNodeOptions): Parameters<typeof implement>[0] {
  const report =
    options.onRegistered ??
    ((error) => {
      if (error !== undefined) console.error(`${options.nodeName} does not take ${driverName}: ${error}`);
    });
  return {
    getInfo: () => ({
      type: "CSIPlugin",
      name: driverName,
      endpoint: options.kubeletSocketPath ?? options.socketPath,
      supportedVersions: ["1.0.0"],
    }),
    notifyRegistrationStatus: ({ pluginRegistered, error }: { pluginRegistered: boolean; error: string }) => {
      report(pluginRegistered ? undefined : error);
      return {};
    },
  };
}

function identity(): Parameters<typeof implement>[0] {
  return {
    getPluginInfo: () => ({ name: driverName, vendorVersion: "local" }),
    getPluginCapabilities: () => ({}),
    probe: () => ({ ready: { value: true } }),
  };
}

function node(options: CsiNodeOptions): Parameters<typeof implement>[0] {
  // One call at a time: the kubelet repeats a call that it gave up, while the first may still be at work.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = async (work: () => Promise<object>): Promise<object> => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
  return {
    nodeGetInfo: () => ({
      nodeId: options.nodeName,
      accessibleTopology: { segments: { [zoneKey]: options.zone } },
    }),
    nodeGetCapabilities: () => ({}),
    nodePublishVolume: (request: PublishRequest) => inTurn(() => publish(options, request)),
    nodeUnpublishVolume: (request: UnpublishRequest) => inTurn(() => unpublish(options, request)),
  };
}

async function publish(options: CsiNodeOptions, request: PublishRequest): Promise<object> {
  const { attachments, mounts, nodeName, disksDir } = options;
  const { volumeId, targetPath } = checked(request);
  const reference = diskOf(volumeId);
  const { zone, disk } = reference;
  if (request.volumeCapability?.block) {
    throw new CallError(grpc.status.INVALID_ARGUMENT, `${volumeId}: the local cloud has no block volumes`);
  }
  const source = path.join(disksDir, zone, disk);
  if (!(await stat(source).catch(() => undefined))?.isDirectory()) throw notFound(volumeId, reference);
  if (zone !== options.zone) throw elsewhere(volumeId);
  const before = await attachments.holder(zone, disk);
  const holder = await attachments.attach(zone, disk, nodeName, targetPath);
  if (holder !== nodeName) throw inUse(volumeId, reference, holder);
  try {
    await mounts.mount(source, targetPath, { readOnly: request.readonly });
  } catch (error) {
    // What was mounted by an earlier call may be so still: the disk stays this node's.
    if (!before?.targets.includes(targetPath)) await attachments.detach(zone, disk, nodeName, targetPath);
    throw error;
  }
  return {};
}

async function unpublish(options: CsiNodeOptions, request: UnpublishRequest): Promise<object> {
  const { volumeId, targetPath } = checked(request);
  const { zone, disk } = diskOf(volumeId);
  await options.mounts.unmount(targetPath);
  await options.attachments.detach(zone, disk, options.nodeName, targetPath);
  return {};
}

function checked<Request extends UnpublishRequest>(request: Request): Request {
  if (request.targetPath !== "") return request;
  throw new CallError(grpc.status.INVALID_ARGUMENT, `${request.volumeId}: the target path is missing`);
}

function diskOf(volumeId: string): DiskReference {
  const reference = parseVolumeHandle(volumeId);
  if (reference !== undefined) return reference;
  throw new CallError(
    grpc.status.INVALID_ARGUMENT,
    `"${volumeId}" names no disk: a volume handle is projects/PROJECT/zones/ZONE/disks/NAME`,
  );
}
