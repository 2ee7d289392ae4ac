import { existsSync } from "node:fs";
import type { Cloud } from "../hosts/cloud.ts";
import type { Infrastructure } from "./model/infrastructure.ts";

/** Maximum number of resources by type: a local cloud has one subnetwork and one control plane. */
export const localLimits = { "gcp:compute/subnetwork:Subnetwork": 1, "gcp:container/cluster:Cluster": 1 };

/** Returns the infrastructure of a local cloud. Imports modules on first use, because a preview does not need them. */
export function localInfrastructure(cloud: Cloud): Infrastructure {
  const cluster = () => import("../cluster/index.ts");
  // Operations on disks import only cluster/disks.ts, because cluster/index.ts takes longer to load.
  const disks = () => import("../cluster/disks.ts");
  const globalResources = () => import("../cluster/front-end/global-resources.ts");
  return {
    startNetwork: async (network) => (await cluster()).startNetwork(cloud, network),
    stopNetwork: async () => (await cluster()).stopNetwork(cloud),
    startCluster: async (spec) => (await cluster()).startCluster(cloud, spec),
    stopCluster: async () => (await cluster()).stopCluster(cloud),
    startNode: async (node) => (await cluster()).startNode(cloud, node),
    stopNode: async (name, options) => (await cluster()).stopNode(cloud, name, options),
    nodeWithDisk: async (disk) => (await disks()).nodeWithDisk(cloud, disk),
    detachDisk: async (disk) => (await disks()).detachDisk(cloud, disk),
    setGlobalAddress: async (name, address) =>
      (await globalResources()).setGlobalResource(cloud, "addresses", name, address),
    setSecurityPolicy: async (name, rules) =>
      (await globalResources()).setGlobalResource(cloud, "securityPolicies", name, rules),
    serviceWithAddress: async (address) =>
      existsSync(cloud.adminKubeconfig)
        ? (await import("../cluster/services.ts")).serviceWithAddress(cloud, address)
        : undefined,
  };
}
