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
}

/** The machines of a local cloud. Loaded at the first use: a preview never needs them. */
export function localMachines(cloud: Cloud): Machines {
  const cluster = () => import("../cluster/index.ts");
  return {
    startNetwork: async (network) => (await cluster()).startNetwork(cloud, network),
    stopNetwork: async () => (await cluster()).stopNetwork(cloud),
    startCluster: async (spec) => (await cluster()).startCluster(cloud, spec),
    stopCluster: async () => (await cluster()).stopCluster(cloud),
    startNode: async (node) => (await cluster()).startNode(cloud, node),
    stopNode: async (name, options) => (await cluster()).stopNode(cloud, name, options),
  };
}
