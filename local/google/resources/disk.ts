import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { number, text, type Value } from "../../plugin/values.ts";
import { ApiError } from "../api-error.ts";
import { between, checkName, sameReference, type Effect } from "../arguments.ts";
import { lastPart, pathOf, selfLink } from "../place.ts";
import { labelled, numericId, stamped, type ResourceType } from "../resource-type.ts";

/** Google's limit, GiB. */
const largest = 65_536;
/** What a disk without a size gets, GiB. */
const usualSize = 500;

/** A disk: a folder that outlives clusters. Its size is kept and answered, not enforced. */
export const disk: ResourceType = {
  token: "gcp:compute/disk:Disk",
  title: "Disk",
  kind: "disk",
  scope: "zone",
  api: "compute.googleapis.com",
  autoNamed: true,
  arguments: {
    name: { change: "replace", check: checkName },
    description: { change: "replace" },
    zone: { change: "replace", same: sameReference },
    type: { change: "replace", default: "pd-standard" },
    size: { change: sizeChange, check: between(1, largest) },
    labels: {},
    physicalBlockSizeBytes: { change: "replace" },
    createSnapshotBeforeDestroy: { default: false },
    project: { change: "replace" },
  },
  computed: ["selfLink", "creationTimestamp", "diskId", "labelFingerprint", "users"],
  path: (inputs, { project, zone }) => `projects/${project}/zones/${zone}/disks/${text(inputs, "name")}`,
  admit: ({ path: own, inputs, previous }) => ({
    outputs: {
      ...stamped(previous, selfLink(own)),
      ...labelled(inputs),
      diskId: previous?.outputs["diskId"] ?? numericId(),
      size: inputs["size"] ?? usualSize,
      physicalBlockSizeBytes: inputs["physicalBlockSizeBytes"] ?? 4096,
      lastAttachTimestamp: "",
      lastDetachTimestamp: "",
      users: [],
    },
  }),
  work: async ({ disksDir }, { inputs, outputs }) => {
    await mkdir(path.join(disksDir, text(inputs, "name")), { recursive: true });
    return { size: outputs["size"] };
  },
  remove: async ({ disksDir }, { inputs }) => {
    const folder = path.join(disksDir, text(inputs, "name"));
    if (existsSync(folder)) await rm(folder, { recursive: true });
  },
};

/** A disk grows in place and never shrinks. */
function sizeChange(before: Value | undefined, after: Value | undefined): Effect {
  const [old, now] = [number({ before }, "before"), number({ after }, "after")];
  return old !== undefined && now !== undefined && now < old ? "replace" : "update";
}

/** A schedule of snapshots. Kept and answered; no snapshot is ever made. */
export const resourcePolicy: ResourceType = {
  token: "gcp:compute/resourcePolicy:ResourcePolicy",
  title: "ResourcePolicy",
  kind: "resource_policy",
  scope: "region",
  api: "compute.googleapis.com",
  autoNamed: true,
  arguments: {
    name: { change: "replace", check: checkName },
    description: {},
    region: { change: "replace", same: sameReference },
    snapshotSchedulePolicy: {},
    project: { change: "replace" },
  },
  computed: ["selfLink"],
  path: (inputs, { project, region }) =>
    `projects/${project}/regions/${region}/resourcePolicies/${text(inputs, "name")}`,
  admit: ({ path: own }) => ({ outputs: { selfLink: selfLink(own) } }),
};

/** Puts a disk under a schedule. */
export const diskResourcePolicyAttachment: ResourceType = {
  token: "gcp:compute/diskResourcePolicyAttachment:DiskResourcePolicyAttachment",
  title: "DiskResourcePolicyAttachment",
  kind: "disk",
  scope: "zone",
  api: "compute.googleapis.com",
  autoNamed: true,
  arguments: {
    // The name is the policy's, so it is never made up in practice.
    name: { change: "replace", check: checkName },
    disk: { required: true, change: "replace", same: sameReference },
    zone: { change: "replace", same: sameReference },
    project: { change: "replace" },
  },
  computed: [],
  path: (inputs, { project, zone }) =>
    `${project}/${zone}/${lastPart(text(inputs, "disk"))}/${text(inputs, "name")}`,
  uses: (inputs, place) => [
    `projects/${place.project}/regions/${place.region}/resourcePolicies/${text(inputs, "name")}`,
  ],
  parent: (inputs, place) => pathOf(text(inputs, "disk"), "disks", "zone", place),
  admit: ({ path: own, inputs, place, data }) => {
    const diskPath = pathOf(text(inputs, "disk"), "disks", "zone", place);
    const other = Object.entries(data.resources).find(
      ([otherPath, { type, parent }]) =>
        type === diskResourcePolicyAttachment.token && parent === diskPath && otherPath !== own,
    );
    if (other !== undefined) {
      const why = `A disk can have at most one resource policy; '${diskPath}' has '${lastPart(other[0])}'`;
      throw new ApiError(400, why, "invalid");
    }
    return { outputs: {} };
  },
};
