import { existsSync } from "node:fs";
import type { Cloud } from "../cluster/cloud.ts";

/** Access to a cluster's API server. */
export interface ClusterAccess {
  /** Host and port. */
  readonly endpoint: string;
  /** Base64-encoded PEM. */
  readonly caCertificate: string;
}

/** A node of a node pool. */
export interface NodeRequest {
  readonly name: string;
  /** Address in the subnetwork's primary range. */
  readonly address: string;
  /** Pod range. */
  readonly podCidr: string;
  readonly labels: Record<string, string>;
}

/** Infrastructure behind the emulated API. All calls are idempotent. */
export interface Infrastructure {
  startNetwork(network: { cidr: string; gateway: string }): Promise<void>;
  stopNetwork(): Promise<void>;
  startCluster(cluster: {
    name: string;
    address: string;
    podCidr: string;
    serviceCidr: string;
  }): Promise<ClusterAccess>;
  stopCluster(): Promise<void>;
  /** Starts a node and resolves when it is Ready. */
  startNode(node: NodeRequest): Promise<void>;
  stopNode(name: string, options: { drain: boolean }): Promise<void>;
  /** Returns the node to which the disk is attached, or undefined. */
  nodeWithDisk(disk: { zone: string; name: string }): Promise<string | undefined>;
  /** Detaches the disk by force. */
  detachDisk(disk: { zone: string; name: string }): Promise<void>;
  /** Returns the Service or Ingress whose load balancer has the address, as `NAMESPACE/NAME`, or undefined. */
  serviceWithAddress(address: string): Promise<string | undefined>;
}

/** Limits of a local cloud: it has one network and one control plane. */
export const localLimits = { "gcp:compute/subnetwork:Subnetwork": 1, "gcp:container/cluster:Cluster": 1 };

/** Infrastructure of a local cloud. Its modules are loaded on first use because a preview does not need them. */
export function localInfrastructure(cloud: Cloud): Infrastructure {
  const cluster = () => import("../cluster/index.ts");
  // Loaded separately because the rest loads slowly.
  const disks = () => import("../cluster/disks.ts");
  return {
    startNetwork: async (network) => (await cluster()).startNetwork(cloud, network),
    stopNetwork: async () => (await cluster()).stopNetwork(cloud),
    startCluster: async (spec) => (await cluster()).startCluster(cloud, spec),
    stopCluster: async () => (await cluster()).stopCluster(cloud),
    startNode: async (node) => (await cluster()).startNode(cloud, node),
    stopNode: async (name, options) => (await cluster()).stopNode(cloud, name, options),
    nodeWithDisk: async (disk) => (await disks()).nodeWithDisk(cloud, disk),
    detachDisk: async (disk) => (await disks()).detachDisk(cloud, disk),
    serviceWithAddress: async (address) =>
      existsSync(cloud.adminKubeconfig)
        ? (await import("../cluster/services.ts")).serviceWithAddress(cloud, address)
        : undefined,
  };
}
