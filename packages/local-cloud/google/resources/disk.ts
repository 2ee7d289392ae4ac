import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { number, optionalText, text, type Value, type Values } from "../../plugin/values.ts";
import type { Failure } from "../../plugin/plugin.ts";
import { invalidField, notFound } from "../model/api-error.ts";
import { between, checkName, notEmulated, oneOf } from "../model/checks.ts";
import { lastPart, selfLink } from "../model/place.ts";
import { labelled, stamped, type Backend, type Request, type ResourceType } from "../model/resource-type.ts";
import { numericId } from "../model/ids.ts";
import type { Effect } from "../../plugin/schema/differences.ts";
import type { Data, Resource } from "../model/store.ts";
import { policiesOf } from "./resource-policy.ts";
import { fillDisk, snapshotNow, snapshotPath } from "./snapshot.ts";

/**
 * Minimum size in GiB of a standard, balanced or SSD Persistent Disk. The emulation applies it to all types, although
 * other types have other minimums.
 */
const minimumGb = 10;
/** Google's maximum size in GiB. */
const largest = 65_536;
/** Default size in GiB. */
const defaultSizeGb = 500;
/**
 * Maximum length of the name prefix of the snapshot that the provider creates before it deletes a disk. By default, the
 * prefix is the disk's name.
 */
const maxNameForSnapshot = 48;

/** Disk types (cloud.google.com/compute/docs/disks). */
const types = [
  ...["pd-standard", "pd-balanced", "pd-ssd", "pd-extreme"],
  ...["hyperdisk-balanced", "hyperdisk-extreme", "hyperdisk-throughput", "hyperdisk-ml"],
  "hyperdisk-balanced-high-availability",
];

/** A disk: a directory that outlives clusters. Its size is stored and returned, but not enforced. */
export const disk: ResourceType = {
  token: "gcp:compute/disk:Disk",
  title: "Disk",
  kind: "disk",
  scope: "zone",
  api: "compute.googleapis.com",
  checks: {
    name: checkName,
    size: between(1, largest),
    accessMode: oneOf("READ_WRITE_SINGLE", "READ_WRITE_MANY", "READ_ONLY_SINGLE"),
    ...notEmulated("image", "sourceDisk", "sourceInstantSnapshot", "sourceStorageObject", "storagePool"),
    ...notEmulated("asyncPrimaryDisk", "multiWriter", "resourcePolicies"),
  },
  effects: { size: sizeChange },
  validate: validateSnapshotName,
  path: (inputs, { project, zone }) => `projects/${project}/zones/${zone}/disks/${text(inputs, "name")}`,
  admit,
  work: async (backend, { inputs, outputs }) => {
    await fillDisk(backend, folder(backend, outputs), optionalText(inputs, "snapshot"));
    return { size: outputs["size"] };
  },
  // A node that uses the disk does not block its deletion (no `deletionBlockers`), because the real provider first
  // detaches the disk.
  users: async ({ machines }, own, { outputs }) => {
    const node = await machines.nodeWithDisk(nameOf(outputs));
    return node === undefined ? [] : [own.replace(/disks\/[^/]+$/, `instances/${node}`)];
  },
  observe: (own, _resource, data) => ({ resourcePolicies: policiesOf(data, own).map(selfLink) }),
  createsOnDelete: async (backend, resource) =>
    resource.inputs["createSnapshotBeforeDestroy"] === true
      ? snapshotNow(backend, resource, folder(backend, resource.outputs))
      : {},
  remove: async (backend, { outputs }) => {
    await backend.machines.detachDisk(nameOf(outputs));
    if (existsSync(folder(backend, outputs))) await rm(folder(backend, outputs), { recursive: true });
  },
};

function nameOf(outputs: Values): { zone: string; name: string } {
  return { zone: text(outputs, "zone"), name: text(outputs, "name") };
}

function folder({ disksDir }: Backend, outputs: Values): string {
  return path.join(disksDir, text(outputs, "zone"), text(outputs, "name"));
}

function admit({ path: own, inputs, place, data, previous }: Request) {
  const type = lastPart(text(inputs, "type"));
  if (!types.includes(type)) {
    throw notFound(`projects/${place.project}/zones/${place.zone}/diskTypes/${type}`);
  }
  const source = snapshotOf(inputs, place.project, data);
  const size = number(inputs, "size") ?? number(source?.outputs ?? {}, "diskSizeGb") ?? defaultSizeGb;
  if (size < minimumGb) {
    throw invalidField("resource.sizeGb", String(size), `Disk size cannot be smaller than ${minimumGb} GB.`);
  }
  validateSmallerThan(source, size);
  return {
    outputs: {
      ...stamped(previous, selfLink(own)),
      ...labelled(inputs),
      diskId: previous?.outputs["diskId"] ?? numericId(),
      size,
      physicalBlockSizeBytes: inputs["physicalBlockSizeBytes"] ?? 4096,
      lastAttachTimestamp: "",
      lastDetachTimestamp: "",
      sourceSnapshotId: source?.outputs["snapshotId"] ?? "",
    },
  };
}

/** Returns the snapshot from which the disk is created. @throws ApiError when it does not exist */
function snapshotOf(inputs: Values, project: string, data: Data): Resource | undefined {
  const reference = optionalText(inputs, "snapshot");
  if (reference === undefined) return undefined;
  const at = snapshotPath(project, lastPart(reference));
  const found = data.resources[at];
  if (found === undefined) throw notFound(at);
  return found;
}

function validateSmallerThan(source: Resource | undefined, size: number): void {
  const needed = number(source?.outputs ?? {}, "diskSizeGb") ?? 0;
  if (size >= needed) return;
  const why = `Requested disk size cannot be smaller than the snapshot size (${needed} GB)`;
  throw invalidField("resource.sizeGb", String(size), why);
}

/**
 * Checks the real provider's rule for `createSnapshotBeforeDestroy`. The snapshot's name is the given prefix or the
 * disk's name, with date and time appended, and must not become too long.
 */
function validateSnapshotName(inputs: Values): Failure[] {
  if (inputs["createSnapshotBeforeDestroy"] !== true) return [];
  const prefix = optionalText(inputs, "createSnapshotBeforeDestroyPrefix");
  if ((prefix ?? optionalText(inputs, "name") ?? "").length <= maxNameForSnapshot) return [];
  const origin = prefix === undefined ? "disk" : "create_snapshot_before_destroy_prefix";
  const reason = `Your ${origin} name is too long to perform this action. The max is 48 characters. Please use "create_snapshot_before_destroy_prefix" to set a custom name for the snapshot.`;
  return [{ property: "createSnapshotBeforeDestroy", reason }];
}

/** A disk can grow in place; shrinking replaces it. */
function sizeChange(before: Value | undefined, after: Value | undefined): Effect {
  const [old, now] = [number({ before }, "before"), number({ after }, "after")];
  return old !== undefined && now !== undefined && now < old ? "replace" : "update";
}
