import { createHash, randomInt } from "node:crypto";
import { map, number, optionalText, text, type Values } from "../../plugin/values.ts";
import type { Failure } from "../../plugin/plugin.ts";
import { freeAddresses, freePodRanges, hostsOf, type Host } from "../model/allocation.ts";
import { atLeast, between, notEmulated, oneOf } from "../model/checks.ts";
import { range } from "../model/cidr.ts";
import { checkNodeAccount } from "../model/default-account.ts";
import { lastPart, regionOf, type Place } from "../model/place.ts";
import type { Backend, Request, ResourceType } from "../model/resource-type.ts";
import type { Resource } from "../model/store.ts";
import { checkClusterName } from "./cluster-checks.ts";
import { version } from "./cluster.ts";
import { nodeConfigChecks } from "./node-config.ts";

const token = "gcp:container/nodePool:NodePool";

/** A node pool. Each node is an emulated host. */
export const nodePool: ResourceType = {
  token,
  title: "NodePool",
  kind: "node_pool",
  scope: "location",
  api: "container.googleapis.com",
  checks: {
    name: checkClusterName,
    nodeCount: between(0, 1000),
    initialNodeCount: between(0, 1000),
    maxPodsPerNode: between(8, 256),
    "upgradeSettings.maxSurge": atLeast(0),
    "upgradeSettings.maxUnavailable": atLeast(0),
    "upgradeSettings.strategy": oneOf("SURGE", "BLUE_GREEN"),
    ...nodeConfigChecks,
    ...notEmulated("namePrefix", "queuedProvisioning"),
  },
  validate: validateCounts,
  path: (inputs, place) => `${clusterPath(inputs, place)}/nodePools/${text(inputs, "name")}`,
  parent: clusterPath,
  admit,
  work: async (backend, resource) => {
    const { inputs, outputs, inner } = resource;
    const labels = nodeLabels(inputs, text(outputs, "location"));
    await forEachParallel(hostsOf(inner), ({ name, address, podCidr }) =>
      backend.machines.startNode({ name, address, podCidr: podCidr ?? "", labels }),
    );
    await stopAll(backend, hostsOf({ machines: inner["leaving"] }), true);
    return {};
  },
  afterTimeout: "found",
  remove: async (backend, resource, data) => {
    // The nodes of the cluster's last node pool are not drained, because their pods have no other node to move to.
    const pools = Object.values(data.resources).filter(
      ({ type, parent }) => type === token && parent === resource.parent,
    );
    await stopAll(backend, hostsOf(resource.inner), pools.length > 1);
  },
};

function clusterPath(inputs: Values, { project, zone }: Place): string {
  const reference = text(inputs, "cluster");
  const start = reference.indexOf("projects/");
  return start >= 0 ? reference.slice(start) : `projects/${project}/locations/${zone}/clusters/${reference}`;
}

function validateCounts(inputs: Values): Failure[] {
  if (inputs["nodeCount"] !== undefined && inputs["initialNodeCount"] !== undefined) {
    const name = optionalText(inputs, "name") ?? "";
    return [
      {
        property: "nodeCount",
        reason: `Cannot set both initial_node_count and node_count on node pool ${name}`,
      },
    ];
  }
  return [];
}

/** Returns the number of nodes. Autoscaling is not emulated: an autoscaled node pool has its minimum size. */
function wantedNodes(inputs: Values): number {
  const minimums = map(inputs, "autoscaling");
  return (
    number(inputs, "nodeCount") ??
    number(inputs, "initialNodeCount") ??
    number(minimums, "minNodeCount") ??
    number(minimums, "totalMinNodeCount") ??
    0
  );
}

function admit({ path, inputs, place, data, previous }: Request) {
  const cluster = data.resources[clusterPath(inputs, place)];
  const subnetwork = text(cluster?.inner ?? {}, "subnetwork");
  if (previous === undefined) checkNodeAccount(data, place.project, inputs);
  const kept = keptHosts(previous, inputs).slice(0, wantedNodes(inputs));
  const added = wantedNodes(inputs) - kept.length;
  const primary = range(text(data.resources[subnetwork]?.inputs ?? {}, "ipCidrRange"));
  const addresses = freeAddresses(data, subnetwork, primary, added);
  const podRanges = freePodRanges(data, subnetwork, text(cluster?.outputs ?? {}, "clusterIpv4Cidr"), added);
  const machines = [
    ...kept,
    ...addresses.map((address, n) => ({ name: nodeName(path, inputs), address, podCidr: podRanges[n] })),
  ];
  return {
    outputs: {
      nodeCount: machines.length,
      initialNodeCount: inputs["initialNodeCount"] ?? machines.length,
      instanceGroupUrls: [],
      managedInstanceGroupUrls: [],
      maxPodsPerNode: inputs["maxPodsPerNode"] ?? 110,
      version: inputs["version"] ?? version,
      operation: "",
    },
    inner: { subnetwork, machines: machines.map(plain), leaving: leaving(previous, machines).map(plain) },
  };
}

/**
 * Returns the nodes that an update keeps. A change of machine type, disk or image replaces all nodes. GKE replaces them
 * in groups: it creates new nodes before it drains old ones (`upgradeSettings` with a surge). The emulation replaces
 * all nodes as one group.
 */
function keptHosts(previous: Resource | undefined, inputs: Values): Host[] {
  if (previous === undefined) return [];
  const [before, after] = [map(previous.inputs, "nodeConfig"), map(inputs, "nodeConfig")];
  const isSame = ["machineType", "diskSizeGb", "diskType", "imageType"].every(
    (key) => before[key] === after[key],
  );
  return isSame ? hostsOf(previous.inner) : [];
}

/** Returns the nodes to remove, including those that an interrupted update has not removed. */
function leaving(previous: Resource | undefined, staying: Host[]): Host[] {
  if (previous === undefined) return [];
  const unfinished = previous.status === "making" ? hostsOf({ machines: previous.inner["leaving"] }) : [];
  return [...hostsOf(previous.inner), ...unfinished].filter(
    ({ name }) => !staying.some((one) => one.name === name),
  );
}

function plain({ name, address, podCidr }: Host): Values {
  return { name, address, podCidr };
}

/** Returns a node name in GKE's format: gke-CLUSTER-POOL-HASH-XXXX. */
function nodeName(path: string, inputs: Values): string {
  const hash = createHash("sha256").update(path).digest("hex").slice(0, 8);
  const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  const end = Array.from({ length: 4 }, () => letters.charAt(randomInt(letters.length))).join("");
  // A node's name has at most 63 characters.
  return `gke-${lastPart(text(inputs, "cluster")).slice(0, 20)}-${text(inputs, "name").slice(0, 20)}-${hash}-${end}`;
}

/** Returns GKE's labels of a node and those of the node pool. */
function nodeLabels(inputs: Values, zone: string): Record<string, string> {
  const config = map(inputs, "nodeConfig");
  const own = Object.entries(map(config, "labels")).filter(
    (pair): pair is [string, string] => typeof pair[1] === "string",
  );
  return {
    ...Object.fromEntries(own),
    "cloud.google.com/gke-nodepool": text(inputs, "name"),
    "node.kubernetes.io/instance-type": optionalText(config, "machineType") ?? "e2-medium",
    "topology.kubernetes.io/region": regionOf(zone),
    "topology.kubernetes.io/zone": zone,
  };
}

async function stopAll({ machines }: Backend, nodes: Host[], drain: boolean): Promise<void> {
  await forEachParallel(nodes, ({ name }) => machines.stopNode(name, { drain }));
}

/** Runs `work` for all items in parallel. @throws the first error, after all have completed */
async function forEachParallel<T>(all: T[], work: (one: T) => Promise<void>): Promise<void> {
  const failed = (await Promise.allSettled(all.map(work))).find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
