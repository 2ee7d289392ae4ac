import { createHash } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import type { Cloud } from "../../hosts/cloud.ts";
import { readJson, undefinedIfMissing, writeFileAtomic } from "../../support/files.ts";

/** A Kubernetes node of the local cloud. */
export interface NodeSpec {
  name: string;
  /** IP address in the subnetwork. */
  address: string;
  /** Pod address range of the node; the VPC routes it to the node. */
  podCidr: string;
  labels: Record<string, string>;
}

/** Writes the record of a node that the local cloud runs. */
export async function writeNode(cloud: Cloud, node: NodeSpec): Promise<void> {
  await mkdir(nodesDir(cloud), { recursive: true });
  await writeFileAtomic(nodeFile(cloud, node.name), JSON.stringify(node));
}

/** Removes the record of a node. */
export async function removeNode(cloud: Cloud, name: string): Promise<void> {
  await rm(nodeFile(cloud, name), { force: true });
}

/** Returns the recorded nodes, even if they have stopped. */
export async function listNodes(cloud: Cloud): Promise<NodeSpec[]> {
  const names = (await readdir(nodesDir(cloud)).catch(undefinedIfMissing)) ?? [];
  const files = names.filter((name) => name.endsWith(".json"));
  const nodes = await Promise.all(files.map((file) => readJson(path.join(nodesDir(cloud), file))));
  return nodes.filter((node) => node !== undefined) as NodeSpec[];
}

/** Directory of the disk driver's sockets on a node. The name is short: a socket's path has at most 107 bytes. */
export function csiDir(cloud: Cloud, node: string): string {
  return path.join(cloud.dir, "csi", createHash("sha256").update(node).digest("hex").slice(0, 12));
}

/** Directory that the node's kubelet watches for plugin registration sockets. */
export function registrationDir(cloud: Cloud, node: string): string {
  return path.join(csiDir(cloud, node), "registration");
}

function nodesDir(cloud: Cloud): string {
  return path.join(cloud.dir, "nodes");
}

function nodeFile(cloud: Cloud, name: string): string {
  return path.join(nodesDir(cloud), `${name}.json`);
}
