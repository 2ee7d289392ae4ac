import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import type { Cloud } from "../../hosts/cloud.ts";
import { readJson, writeFileAtomic } from "../../support/files.ts";
import type { PolicyRule } from "./policy.ts";

/** The global resources of Google Cloud that Ingresses refer to by name. */
interface GlobalResources {
  /** Value for one resource of this kind, a reserved global address: its IP address. */
  addresses: string;
  /** For this kind of resource, the value is the rules of one Cloud Armor security policy. */
  securityPolicies: readonly PolicyRule[];
}

/**
 * Announces a global resource to the cluster's Ingresses; the value `undefined` announces the resource's deletion.
 * Idempotent.
 */
export async function setGlobalResource<K extends keyof GlobalResources>(
  cloud: Cloud,
  kind: K,
  name: string,
  value: GlobalResources[K] | undefined,
): Promise<void> {
  const file = fileOf(cloud, kind, name);
  if (value === undefined) return rm(file, { force: true });
  await mkdir(path.dirname(file), { recursive: true });
  await writeFileAtomic(file, JSON.stringify(value));
}

/** Returns a global resource that {@link setGlobalResource} announced, or undefined. */
export async function findGlobalResource<K extends keyof GlobalResources>(
  cloud: Cloud,
  kind: K,
  name: string | undefined,
): Promise<GlobalResources[K] | undefined> {
  if (name === undefined) return undefined;
  return (await readJson(fileOf(cloud, kind, name))) as GlobalResources[K] | undefined;
}

function fileOf(cloud: Cloud, kind: string, name: string): string {
  return path.join(cloud.dir, "global-resources", kind, `${path.basename(name)}.json`);
}
