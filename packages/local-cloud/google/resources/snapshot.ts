import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { optionalText, text, type Values } from "../../plugin/values.ts";
import { checkName, oneOf } from "../model/checks.ts";
import { lastPart, pathOf, selfLink } from "../model/place.ts";
import { labelled, stamped, type Backend, type ResourceType } from "../model/resource-type.ts";
import { numericId } from "../model/ids.ts";
import type { Resource } from "../model/store.ts";

const token = "gcp:compute/snapshot:Snapshot";
/** Maximum number of attempts. Copying a disk in use can fail, because files may be deleted during the copy. */
const copyAttempts = 3;

/** A snapshot: a copy of the disk's directory. It outlives the disk. */
export const snapshot: ResourceType = {
  token,
  title: "Snapshot",
  kind: "snapshot",
  scope: "global",
  api: "compute.googleapis.com",
  checks: { name: checkName, snapshotType: oneOf("ARCHIVE", "STANDARD") },
  path: (inputs, { project }) => snapshotPath(project, text(inputs, "name")),
  // The disk must exist when the snapshot is created, and can be deleted later.
  needs: (inputs, place) => [pathOf(text(inputs, "sourceDisk"), "disks", "zone", place)],
  admit: ({ path: own, inputs, place, data, previous }) => {
    const source = data.resources[pathOf(text(inputs, "sourceDisk"), "disks", "zone", place)];
    return {
      outputs: {
        ...stamped(previous, selfLink(own)),
        ...labelled(inputs),
        ...(previous?.outputs ?? outputsOf(source?.outputs ?? {})),
        storageLocations: inputs["storageLocations"] ?? [place.region],
        snapshotType: inputs["snapshotType"] ?? "STANDARD",
      },
      inner: previous?.inner ?? {
        folder: path.join(text(source?.outputs ?? {}, "zone"), text(source?.outputs ?? {}, "name")),
      },
    };
  },
  work: async ({ disksDir, snapshotsDir }, { inputs, inner }) => {
    await copyFolder(
      path.join(disksDir, text(inner, "folder")),
      path.join(snapshotsDir, text(inputs, "name")),
    );
    return {};
  },
  remove: async ({ snapshotsDir }, { inputs }) => {
    await rm(path.join(snapshotsDir, text(inputs, "name")), { recursive: true, force: true });
  },
};

export function snapshotPath(project: string, name: string): string {
  return `projects/${project}/global/snapshots/${name}`;
}

function outputsOf(source: Values): Values {
  return { diskSizeGb: source["size"], snapshotId: numericId(), storageBytes: 0, licenses: [] };
}

/** Creates the disk's directory, empty or with the snapshot's content. Idempotent. */
export async function fillDisk(
  { snapshotsDir }: Backend,
  folder: string,
  reference: string | undefined,
): Promise<void> {
  if (reference === undefined) await mkdir(folder, { recursive: true });
  else await copyFolder(path.join(snapshotsDir, lastPart(reference)), folder);
}

/** Creates the snapshot that a disk with `createSnapshotBeforeDestroy` requests. @returns the snapshot, by its path */
export async function snapshotNow(
  { snapshotsDir }: Backend,
  { inputs, outputs }: Resource,
  folder: string,
): Promise<Record<string, Resource>> {
  const prefix = optionalText(inputs, "createSnapshotBeforeDestroyPrefix") ?? text(inputs, "name");
  // Format 20260131-235959, in UTC.
  const [day = "", time = ""] = new Date().toISOString().replace(/[-:]/g, "").split(/[T.]/);
  const name = `${prefix}-${day}-${time}`;
  await copyFolder(folder, path.join(snapshotsDir, name));
  const own = snapshotPath(text(outputs, "project"), name);
  const given = { name, sourceDisk: text(outputs, "selfLink") };
  const rest = { ...outputsOf(outputs), ...stamped(undefined, selfLink(own)), ...labelled({}) };
  const made: Resource = {
    type: token,
    inputs: given,
    outputs: { ...given, ...rest, project: outputs["project"] },
    status: "ready",
    uses: [],
    inner: {},
  };
  return { [own]: made };
}

/** Copies a directory with owners and times, unless `to` exists. Until the copy is complete, it is at `to` + `.new`. */
async function copyFolder(from: string, to: string): Promise<void> {
  if (existsSync(to)) return;
  const draft = `${to}.new`;
  await mkdir(path.dirname(to), { recursive: true });
  for (let attempt = 1; ; attempt += 1) {
    await rm(draft, { recursive: true, force: true });
    try {
      await execa("cp", ["--archive", "--reflink=auto", from, draft]);
      break;
    } catch (error) {
      if (attempt === copyAttempts) throw error;
    }
  }
  await rename(draft, to);
}
