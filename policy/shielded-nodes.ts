import type { ClusterArgs } from "@pulumi/gcp/container/cluster.js";
import type { NodePoolArgs } from "@pulumi/gcp/container/nodePool.js";
import type { ResourceValidationPolicy } from "@pulumi/policy";
import type { Unwrap } from "@pulumi/pulumi";
import { on, validate } from "./rule.ts";

type Nodes = Pick<Unwrap<ClusterArgs & NodePoolArgs>, "nodeConfig">;

/**
 * Nodes boot verified code only. An organization that enforces it (constraints/compute.requireShieldedVm) refuses
 * other nodes, those of a default pool that is removed at once too.
 */
export const nodesAreShielded: ResourceValidationPolicy = {
  name: "nodes-are-shielded",
  description: "Nodes have secure boot and integrity monitoring.",
  validateResource: validate(
    on("gcp:container/cluster:Cluster", areShielded),
    on("gcp:container/nodePool:NodePool", areShielded),
  ),
};

function areShielded({ nodeConfig }: Nodes): string[] {
  const settings = nodeConfig?.shieldedInstanceConfig;
  // GKE monitors integrity unless told otherwise.
  if (settings?.enableSecureBoot === true && settings.enableIntegrityMonitoring !== false) return [];
  return [
    "Its nodes boot without verification: set nodeConfig.shieldedInstanceConfig.enableSecureBoot to true, and " +
      "leave enableIntegrityMonitoring on.",
  ];
}
