import type { PolicyRule } from "../../cluster/front-end/policy.ts";

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
  /** Announces a global address to the cluster's Ingresses; `undefined` announces its deletion. */
  setGlobalAddress(name: string, address: string | undefined): Promise<void>;
  /** Announces a security policy's rules to the cluster's Ingresses; `undefined` announces the policy's deletion. */
  setSecurityPolicy(name: string, rules: readonly PolicyRule[] | undefined): Promise<void>;
  /** Returns the Service or Ingress whose load balancer has the address, as `NAMESPACE/NAME`, or undefined. */
  serviceWithAddress(address: string): Promise<string | undefined>;
}
