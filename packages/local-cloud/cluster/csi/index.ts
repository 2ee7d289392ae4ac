import { rm, stat } from "node:fs/promises";
import path from "node:path";
import * as grpc from "@grpc/grpc-js";
import type { Attachments } from "./attachments.ts";
import { CallError, implement, listen, loadService } from "./grpc.ts";
import { driverName, zoneKey } from "./manifests.ts";
import type { Mounts } from "./mounts.ts";
import { wrongZone, diskInUse, diskNotFound } from "./errors.ts";
import { parseVolumeHandle, type DiskReference } from "./volume-handle.ts";

export { Attachments } from "./attachments.ts";
export { csiDriver, driverName } from "./manifests.ts";
export { mountsOf, type Mounts } from "./mounts.ts";

/** Arguments of {@link startCsiNode}. */
export interface CsiNodeOptions {
  nodeName: string;
  /** Zone of the node and of the disks that it can mount, e.g. `us-central1-a`. */
  zone: string;
  /** Path of the driver's socket on this computer. */
  socketPath: string;
  /** Path of the driver's socket on the node, which the driver reports to the kubelet. Default: `socketPath`. */
  kubeletSocketPath?: string;
  /** Path of the registration socket, in the kubelet's directory `plugins_registry`, on this computer. */
  registrationSocketPath: string;
  /** Directory with one subdirectory per zone and disk. */
  disksDir: string;
  /** Attachments, shared by the drivers of all nodes. */
  attachments: Attachments;
  mounts: Mounts;
  /** Called with the kubelet's registration result: undefined, or the error. Default: logs errors to stderr. */
  onRegistered?: (error: string | undefined) => void;
}

/** A running driver of one node. */
export interface CsiNode {
  /** Stops the driver and removes its sockets. Mounts stay. */
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
 * Starts the persistent disk driver of one node. The node's kubelet discovers the registration socket by itself, also
 * after a restart of the kubelet or of the driver.
 *
 * @throws Error when a socket can't be created
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
    // The driver listens first, because the kubelet calls it as soon as the registration socket exists.
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
      if (error !== undefined)
        console.error(
          `The kubelet of ${options.nodeName} rejected the registration of ${driverName}: ${error}`,
        );
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
  // Calls run one at a time: the kubelet retries a call after its timeout, possibly while the first attempt still runs.
  let last: Promise<unknown> = Promise.resolve();
  const serialize = async (work: () => Promise<object>): Promise<object> => {
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
    nodePublishVolume: (request: PublishRequest) => serialize(() => publish(options, request)),
    nodeUnpublishVolume: (request: UnpublishRequest) => serialize(() => unpublish(options, request)),
  };
}

async function publish(options: CsiNodeOptions, request: PublishRequest): Promise<object> {
  const { attachments, mounts, nodeName, disksDir } = options;
  const { volumeId, targetPath } = requireTargetPath(request);
  const reference = diskOf(volumeId);
  const { zone, disk } = reference;
  if (request.volumeCapability?.block) {
    throw new CallError(
      grpc.status.INVALID_ARGUMENT,
      `${volumeId}: the local cloud does not support block volumes; use volumeMode: Filesystem`,
    );
  }
  const source = path.join(disksDir, zone, disk);
  if (!(await stat(source).catch(() => undefined))?.isDirectory()) throw diskNotFound(volumeId, reference);
  if (zone !== options.zone) throw wrongZone(volumeId);
  const before = await attachments.holder(zone, disk);
  const holder = await attachments.attach(zone, disk, nodeName, targetPath);
  if (holder !== nodeName) throw diskInUse(volumeId, reference, holder);
  try {
    await mounts.mount(source, targetPath, { readOnly: request.readonly });
  } catch (error) {
    // If an earlier call mounted the disk at this target, the disk stays attached.
    if (!before?.targets.includes(targetPath)) await attachments.detach(zone, disk, nodeName, targetPath);
    throw error;
  }
  return {};
}

async function unpublish(options: CsiNodeOptions, request: UnpublishRequest): Promise<object> {
  const { volumeId, targetPath } = requireTargetPath(request);
  const { zone, disk } = diskOf(volumeId);
  await options.mounts.unmount(targetPath);
  await options.attachments.detach(zone, disk, options.nodeName, targetPath);
  return {};
}

function requireTargetPath<Request extends UnpublishRequest>(request: Request): Request {
  if (request.targetPath !== "") return request;
  throw new CallError(grpc.status.INVALID_ARGUMENT, `${request.volumeId}: the request has no target path`);
}

function diskOf(volumeId: string): DiskReference {
  const reference = parseVolumeHandle(volumeId);
  if (reference !== undefined) return reference;
  throw new CallError(
    grpc.status.INVALID_ARGUMENT,
    `"${volumeId}" names no disk: a volume handle has the form projects/PROJECT/zones/ZONE/disks/NAME`,
  );
}
