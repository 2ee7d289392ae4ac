import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { number, optionalText, text, type Value, type Values } from "../../plugin/values.ts";
import type { Failure } from "../../plugin/plugin.ts";
import { invalidField, notFound } from "../api-error.ts";
import { between, checkName, notEmulated, oneOf } from "../checks.ts";
import { lastPart, selfLink } from "../place.ts";
import {
  labelled,
  numericId,
  stamped,
  type Behind,
  type Request,
  type ResourceType,
} from "../resource-type.ts";
import type { Effect } from "../../plugin/schema/differences.ts";
import type { Data, Resource } from "../store.ts";
import { policiesOf } from "./resource-policy.ts";
import { fillDisk, snapshotNow, snapshotPath } from "./snapshot.ts";

/** Google's limits, GiB. */
const least = 10;
const largest = 65_536;
/** What a disk without a size gets, GiB. */
const usualSize = 500;
/** The longest name that the real provider makes a snapshot's name of. */
const longestForSnapshot = 48;

/** Types of disks: cloud.google.com/compute/docs/disks. */
const types = [
  ...["pd-standard", "pd-balanced", "pd-ssd", "pd-extreme"],
  ...["hyperdisk-balanced", "hyperdisk-extreme", "hyperdisk-throughput", "hyperdisk-ml"],
  "hyperdisk-balanced-high-availability",
];

/** A disk: a folder that outlives clusters. Its size is kept and answered, not enforced. */
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
  refuse: refuseLongName,
  path: (inputs, { project, zone }) => `projects/${project}/zones/${zone}/disks/${text(inputs, "name")}`,
  admit,
  work: async (behind, { inputs, outputs }) => {
    await fillDisk(behind, folder(behind, outputs), optionalText(inputs, "snapshot"));
    return { size: outputs["size"] };
  },
  // A disk that a node has does not hold the deletion up: the real provider takes it away from the node first.
  users: async ({ machines }, own, { outputs }) => {
    const node = await machines.diskHolder(nameOf(outputs));
    return node === undefined ? [] : [own.replace(/disks\/[^/]+$/, `instances/${node}`)];
  },
  observe: (own, _resource, data) => ({ resourcePolicies: policiesOf(data, own).map(selfLink) }),
  leaves: async (behind, resource) =>
    resource.inputs["createSnapshotBeforeDestroy"] === true
      ? snapshotNow(behind, resource, folder(behind, resource.outputs))
      : {},
  remove: async (behind, { outputs }) => {
    await behind.machines.detachDisk(nameOf(outputs));
    if (existsSync(folder(behind, outputs))) await rm(folder(behind, outputs), { recursive: true });
  },
};

function nameOf(outputs: Values): { zone: string; name: string } {
  return { zone: text(outputs, "zone"), name: text(outputs, "name") };
}

function folder({ disksDir }: Behind, outputs: Values): string {
  return path.join(disksDir, text(outputs, "zone"), text(outputs, "name"));
}

function admit({ path: own, inputs, place, data, previous }: Request) {
  const type = lastPart(text(inputs, "type"));
  if (!types.includes(type)) {
    throw notFound(`projects/${place.project}/zones/${place.zone}/diskTypes/${type}`);
  }
  const source = snapshotOf(inputs, place.project, data);
  const size = number(inputs, "size") ?? number(source?.outputs ?? {}, "diskSizeGb") ?? usualSize;
  if (size < least) {
    throw invalidField("resource.sizeGb", String(size), `Disk size cannot be smaller than ${least} GB.`);
  }
  refuseSmallerThan(source, size);
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

/** The snapshot that the disk is made from. @throws ApiError when it is not there */
function snapshotOf(inputs: Values, project: string, data: Data): Resource | undefined {
  const reference = optionalText(inputs, "snapshot");
  if (reference === undefined) return undefined;
  const at = snapshotPath(project, lastPart(reference));
  const found = data.resources[at];
  if (found === undefined) throw notFound(at);
  return found;
}

function refuseSmallerThan(source: Resource | undefined, size: number): void {
  const needed = number(source?.outputs ?? {}, "diskSizeGb") ?? 0;
  if (size >= needed) return;
  const why = `Requested disk size cannot be smaller than the snapshot size (${needed} GB)`;
  throw invalidField("resource.sizeGb", String(size), why);
}

/** The real provider's own rule: the date and time have to fit behind the name. */
function refuseLongName(inputs: Values): Failure[] {
  if (inputs["createSnapshotBeforeDestroy"] !== true) return [];
  const prefix = optionalText(inputs, "createSnapshotBeforeDestroyPrefix");
  if ((prefix ?? optionalText(inputs, "name") ?? "").length <= longestForSnapshot) return [];
  const origin = prefix === undefined ? "disk" : "create_snapshot_before_destroy_prefix";
  const reason = `Your ${origin} name is too long to perform this action. The max is 48 characters. Please use "create_snapshot_before_destroy_prefix" to set a custom name for the snapshot.`;
  return [{ property: "createSnapshotBeforeDestroy", reason }];
}

/** A disk grows in place and never shrinks. */
function sizeChange(before: Value | undefined, after: Value | undefined): Effect {
  const [old, now] = [number({ before }, "before"), number({ after }, "after")];
  return old !== undefined && now !== undefined && now < old ? "replace" : "update";
}
