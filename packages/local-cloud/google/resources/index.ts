import type { ResourceType } from "../model/resource-type.ts";
import { address } from "./address.ts";
import { cluster } from "./cluster.ts";
import { disk } from "./disk.ts";
import { firewall } from "./firewall.ts";
import { globalAddress } from "./global-address.ts";
import { account, projectMember } from "./iam.ts";
import { networkPeering } from "./network-peering.ts";
import { network } from "./network.ts";
import { nodePool } from "./node-pool.ts";
import { diskResourcePolicyAttachment, resourcePolicy } from "./resource-policy.ts";
import { routerNat } from "./router-nat.ts";
import { router } from "./router.ts";
import { securityPolicy } from "./security-policy.ts";
import { service } from "./service.ts";
import { snapshot } from "./snapshot.ts";
import { subnetwork } from "./subnetwork.ts";

/** All emulated resource types. */
export const resourceTypes: readonly ResourceType[] = [
  network,
  networkPeering,
  subnetwork,
  address,
  globalAddress,
  securityPolicy,
  firewall,
  router,
  routerNat,
  disk,
  snapshot,
  resourcePolicy,
  diskResourcePolicyAttachment,
  cluster,
  nodePool,
  account,
  projectMember,
  service,
];

const byToken = new Map(resourceTypes.map((type) => [type.token, type]));

/** Returns the resource type with a token. @throws Error if the local cloud doesn't emulate the type */
export function findType(token: string): ResourceType {
  const type = byToken.get(token);
  if (type === undefined) {
    throw new Error(
      `The local cloud does not emulate the resource type ${token}; see packages/local-cloud/google/README.md`,
    );
  }
  return type;
}
