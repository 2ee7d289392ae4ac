import type { ClusterArgs } from "@pulumi/gcp/container/cluster.js";
import type { NodePoolArgs } from "@pulumi/gcp/container/nodePool.js";
import type { ResourceValidationPolicy } from "@pulumi/policy";
import type { Unwrap } from "@pulumi/pulumi";
import { on, validate } from "./rule.ts";

type Nodes = Pick<Unwrap<ClusterArgs & NodePoolArgs>, "nodeConfig">;

/**
 * Nodes must boot only verified code. An organization can enforce this rule (constraints/compute.requireShieldedVm).
 * Google then rejects other nodes, even the nodes of a default pool that is removed immediately.
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
  // Integrity monitoring is on by default.
  if (settings?.enableSecureBoot === true && settings.enableIntegrityMonitoring !== false) return [];
  return [
    "The nodes boot without verification. Set nodeConfig.shieldedInstanceConfig.enableSecureBoot to true, and " +
      "leave enableIntegrityMonitoring on.",
  ];
}
