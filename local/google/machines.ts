import { existsSync } from "node:fs";
import type { Cloud } from "../cluster/cloud.ts";

/** How the API of a cluster is reached. */
export interface ClusterAccess {
  /** Host and port. */
  readonly endpoint: string;
  /** Base64 of PEM. */
  readonly caCertificate: string;
}

/** A node as a pool asks for it. */
export interface NodeRequest {
  readonly name: string;
  /** In the subnetwork's primary range. */
  readonly address: string;
  /** Range of its pods. */
  readonly podCidr: string;
  readonly labels: Record<string, string>;
}

/** The machines behind the emulated API. Every call may be repeated, and then does nothing that is done. */
export interface Machines {
  startNetwork(network: { cidr: string; gateway: string }): Promise<void>;
  stopNetwork(): Promise<void>;
  startCluster(cluster: {
    name: string;
    address: string;
    podCidr: string;
    serviceCidr: string;
  }): Promise<ClusterAccess>;
  stopCluster(): Promise<void>;
  /** Resolves when the node is Ready. */
  startNode(node: NodeRequest): Promise<void>;
  stopNode(name: string, options: { drain: boolean }): Promise<void>;
  /** Name of the node that has the disk; undefined when none has. */
  diskHolder(disk: { zone: string; name: string }): Promise<string | undefined>;
  /** Takes the disk away from the node that has it, without asking. */
  detachDisk(disk: { zone: string; name: string }): Promise<void>;
  /** The Service or Ingress whose load balancer has the address, as `NAMESPACE/NAME`. */
  addressHolder(address: string): Promise<string | undefined>;
}

/** A local cloud has one network, with one control plane. */
export const localRoom = { "gcp:compute/subnetwork:Subnetwork": 1, "gcp:container/cluster:Cluster": 1 };

/** The machines of a local cloud. Loaded at the first use: a preview never needs them. */
export function localMachines(cloud: Cloud): Machines {
  const cluster = () => import("../cluster/index.ts");
  // By itself, since the rest takes a while to load.
  const disks = () => import("../cluster/disks.ts");
  return {
    startNetwork: async (network) => (await cluster()).startNetwork(cloud, network),
    stopNetwork: async () => (await cluster()).stopNetwork(cloud),
    startCluster: async (spec) => (await cluster()).startCluster(cloud, spec),
    stopCluster: async () => (await cluster()).stopCluster(cloud),
    startNode: async (node) => (await cluster()).startNode(cloud, node),
    stopNode: async (name, options) => (await cluster()).stopNode(cloud, name, options),
    diskHolder: async (disk) => (await disks()).diskHolder(cloud, disk),
    detachDisk: async (disk) => (await disks()).detachDisk(cloud, disk),
    addressHolder: async (address) =>
      existsSync(cloud.adminKubeconfig)
        ? (await import("../cluster/services.ts")).addressHolder(cloud, address)
        : undefined,
  };
}
