import type { DiskArgs } from "@pulumi/gcp/compute/disk.js";
import type { ClusterArgs } from "@pulumi/gcp/container/cluster.js";
import type { NodePoolArgs } from "@pulumi/gcp/container/nodePool.js";
import type { PolicyResource, ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import type { Unwrap } from "@pulumi/pulumi";
import { tooOpen } from "./ranges.ts";
import { ifKnown, ofType, on, onAny, validate } from "./rule.ts";
import { nodesAreShielded } from "./shielded-nodes.ts";

type Cluster = Unwrap<ClusterArgs>;
type NodePool = Unwrap<NodePoolArgs>;

const ACCOUNT = "gcp:serviceaccount/account:Account";
const ATTACHMENT = "gcp:compute/diskResourcePolicyAttachment:DiskResourcePolicyAttachment";
const CLUSTER = "gcp:container/cluster:Cluster";
const DISK = "gcp:compute/disk:Disk";
const NODE_POOL = "gcp:container/nodePool:NodePool";
const RESOURCE_POLICY = "gcp:compute/resourcePolicy:ResourcePolicy";

/**
 * Nodes must not have public addresses. Otherwise only firewall rules protect kubelets and pods on the host network,
 * and one mistake exposes them.
 */
export const nodesArePrivate: ResourceValidationPolicy = {
  name: "nodes-are-private",
  description: "Nodes have no public address.",
  validateResource: validate(on(CLUSTER, clusterIsPrivate), on(NODE_POOL, poolIsPrivate)),
};

function clusterIsPrivate({ privateClusterConfig }: Cluster): string[] {
  if (privateClusterConfig?.enablePrivateNodes === true) return [];
  return ["The nodes get public addresses. Set privateClusterConfig.enablePrivateNodes to true."];
}

/** Returns a violation if `enablePrivateNodes` is false. If it is unset, the cluster's setting applies to the pool. */
function poolIsPrivate({ networkConfig }: NodePool): string[] {
  if (networkConfig?.enablePrivateNodes !== false) return [];
  return ["The nodes get public addresses. Remove networkConfig.enablePrivateNodes, or set it to true."];
}

/**
 * The control plane must be reachable only through its DNS endpoint, where Google's IAM authenticates each request, or
 * at an IP address from authorized networks. At an address that is open to the internet, a single vulnerability of the
 * API server would expose the cluster.
 */
export const controlPlaneIsClosed: ResourceValidationPolicy = {
  name: "control-plane-is-closed",
  description: "The control plane is not open to the internet.",
  validateResource: validate(
    on(CLUSTER, (cluster: Cluster) => [...addressIsClosed(cluster), ...dnsEndpointRequiresIam(cluster)]),
  ),
};

function addressIsClosed(cluster: Cluster): string[] {
  const off = cluster.controlPlaneEndpointsConfig?.ipEndpointsConfig?.enabled === false;
  if (off || cluster.privateClusterConfig?.enablePrivateEndpoint === true) return [];
  const networks = cluster.masterAuthorizedNetworksConfig;
  if (networks === undefined) {
    return [
      "The control plane accepts connections from all addresses. Set controlPlaneEndpointsConfig.ipEndpointsConfig.enabled " +
        "to false and use the DNS endpoint, or list the allowed ranges in masterAuthorizedNetworksConfig.",
    ];
  }
  const open = (networks.cidrBlocks ?? []).map(({ cidrBlock }) => tooOpen(cidrBlock));
  return [
    ...open
      .filter((problem) => problem !== undefined)
      .map((problem) => `${problem}. Use narrower ranges in masterAuthorizedNetworksConfig.cidrBlocks.`),
    // If this argument is unset, GKE admits Google Cloud's public addresses.
    ...(networks.gcpPublicCidrsAccessEnabled === false
      ? []
      : [
          "All public addresses of Google Cloud may reach the control plane. Set " +
            "masterAuthorizedNetworksConfig.gcpPublicCidrsAccessEnabled to false.",
        ]),
  ];
}

function dnsEndpointRequiresIam({ controlPlaneEndpointsConfig }: Cluster): string[] {
  const dns = controlPlaneEndpointsConfig?.dnsEndpointConfig;
  const credentials = [
    ["enableK8sTokensViaDns", dns?.enableK8sTokensViaDns],
    ["enableK8sCertsViaDns", dns?.enableK8sCertsViaDns],
  ] as const;
  return credentials
    .filter(([, enabled]) => enabled === true)
    .map(
      ([key]) =>
        `The DNS endpoint accepts credentials that Google's IAM doesn't check. ` +
        `Set controlPlaneEndpointsConfig.dnsEndpointConfig.${key} to false.`,
    );
}

/**
 * Nodes must have their own service account. Otherwise they use Compute Engine's default service account, which in many
 * projects has the role Editor on the whole project. Any pod that reaches the node's metadata server could use this
 * account.
 */
export const nodesHaveTheirAccount: ResourceValidationPolicy = {
  name: "nodes-have-their-account",
  description: "Nodes use their own service account, not the project's default one.",
  validateResource: validate(on(CLUSTER, defaultPoolHasAccount), on(NODE_POOL, poolHasAccount)),
};

/**
 * Returns the problem if the nodes of the cluster's default pool have no service account of their own. These nodes
 * exist for some minutes even if `removeDefaultNodePool` removes the pool.
 */
function defaultPoolHasAccount({ nodeConfig }: Cluster): string[] {
  if (hasAccount(nodeConfig)) return [];
  return [
    "The default nodes use the project's default service account, even if removeDefaultNodePool removes them. " +
      "Set nodeConfig.serviceAccount to their own service account.",
  ];
}

function poolHasAccount({ nodeConfig }: NodePool): string[] {
  if (hasAccount(nodeConfig)) return [];
  return [
    "The nodes use the project's default service account. Set nodeConfig.serviceAccount to their own account.",
  ];
}

/**
 * Returns whether the nodes have their own service account. A value that is unknown in a preview counts as one, because
 * it is the email of an account that will be created.
 */
function hasAccount(nodeConfig: NodePool["nodeConfig"]): boolean {
  if (nodeConfig === undefined || !("serviceAccount" in nodeConfig)) return false;
  return (ifKnown(() => nodeConfig.serviceAccount) ?? "the new one's") !== "default";
}

/**
 * Roles that nodes need for logs, metrics and images
 * (cloud.google.com/kubernetes-engine/docs/how-to/hardening-your-cluster).
 */
const NODE_ROLES = ["roles/container.defaultNodeServiceAccount", "roles/artifactregistry.reader"];

/**
 * The nodes' service account must have only the roles that nodes need, because a pod that breaks out of its container
 * can use all of them.
 */
export const nodeAccountsAreNarrow: StackValidationPolicy = {
  name: "node-accounts-are-narrow",
  description: `The nodes' service account has only the roles ${NODE_ROLES.join(" and ")}.`,
  validateStack: ({ resources }, report) => {
    const pools = [...ofType(resources, NODE_POOL), ...ofType(resources, CLUSTER)];
    const accounts = new Set(pools.flatMap(accountsOf));
    for (const grant of resources.filter(({ type }) => isGrant(type))) {
      const [account] = granteesOf(grant).filter((one) => accounts.has(one));
      if (account === undefined) continue;
      for (const role of rolesOf(grant.props).filter((one) => !NODE_ROLES.includes(one))) {
        report(
          `It grants ${role} to the nodes' service account. Grant it to the service account of the workload that needs it ` +
            "instead (Workload Identity).",
          grant.urn,
        );
      }
    }
  },
};

/** Returns the service accounts of a pool's nodes: emails if known, and URNs of accounts of this stack. */
function accountsOf(pool: PolicyResource): string[] {
  // In a preview, all of a new pool's nodeConfig is unknown if the program doesn't set it.
  const email = ifKnown(() => (pool.props as NodePool).nodeConfig?.serviceAccount);
  return [...(email === undefined ? [] : [email]), ...accountsIn(pool, "nodeConfig")];
}

/**
 * Returns a grant's members: known ones without the prefix `serviceAccount:`, and the URNs of this stack's service
 * accounts among them, because their emails may be unknown in a preview.
 */
function granteesOf(grant: PolicyResource): string[] {
  const inputs = grant.props as { member?: string; members?: string[] };
  const member = ifKnown(() => inputs.member);
  const members = ifKnown(() => [...(inputs.members ?? [])]) ?? [];
  const emails = [...(member === undefined ? [] : [member]), ...members];
  return [
    ...emails.map((one) => one.replace(/^serviceAccount:/, "")),
    ...accountsIn(grant, "member"),
    ...accountsIn(grant, "members"),
  ];
}

/**
 * Returns the URNs of this stack's service accounts that a property depends on. They identify a new account in a
 * preview, where its email is not known yet.
 */
function accountsIn(resource: PolicyResource, property: string): string[] {
  return ofType(resource.propertyDependencies[property] ?? [], ACCOUNT).map(({ urn }) => urn);
}

/**
 * The program must not grant owner, editor or administrator roles. Pushing and reading metrics never needs them, and
 * such grants are easily forgotten.
 */
export const rolesAreNarrow: ResourceValidationPolicy = {
  name: "roles-are-narrow",
  description: "No grants of owner, editor or administrator roles.",
  validateResource: validate(
    onAny(isGrant, (inputs: Record<string, unknown>) =>
      rolesOf(inputs)
        .filter((role) => /^roles\/(owner|editor)$|admin$/i.test(role))
        .map((role) => `It grants ${role}, which is too broad. Grant the narrowest role that suffices.`),
    ),
  ),
};

/** Returns whether a type grants roles on a project, service account, bucket or other resource. */
function isGrant(type: string): boolean {
  return /^gcp:.*iam(Member|Binding|Policy)$/i.test(type);
}

/** Returns the roles that an IAM resource grants: its `role`, or all roles in `policyData`, a JSON text. */
function rolesOf(inputs: Record<string, unknown>): string[] {
  const { role, policyData } = inputs;
  const roles = typeof policyData === "string" ? (policyData.match(/roles\/[\w.]+/g) ?? []) : [];
  return typeof role === "string" ? [role, ...roles] : roles;
}

/**
 * Disks must have the option `protect`, because they hold five years of measurements that can't be repeated. The option
 * prevents deletion by `pulumi destroy` and by replacement. Temporary stacks without valuable data are listed in the
 * rule's configuration.
 */
export const historyIsProtected: ResourceValidationPolicy = {
  name: "history-is-protected",
  description: "Disks are protected against deletion.",
  configSchema: {
    properties: {
      throwAwayStacks: {
        type: "array",
        items: { type: "string" },
        default: ["local"],
        description: "Names of stacks whose disks may be deleted.",
      },
    },
  },
  validateResource: validate(
    on(DISK, (_: Unwrap<DiskArgs>, disk) => {
      const { throwAwayStacks } = disk.getConfig<{ throwAwayStacks: string[] }>();
      const stack = stackOf(disk.urn);
      if (throwAwayStacks.includes(stack)) disk.notApplicable(`Disks of stack ${stack} may be deleted.`);
      if (disk.opts.protect) return [];
      return [
        "It can be deleted with all history. Set the option protect to true (in this project: disks.protect in the " +
          "stack file).",
      ];
    }),
  ),
};

/** Returns the stack in "urn:pulumi:STACK::PROJECT::…". */
function stackOf(urn: string): string {
  return /^urn:pulumi:([^:]+)::/.exec(urn)?.[1] ?? "";
}

/**
 * Disks must have scheduled snapshots. `protect` only prevents deletion by Pulumi; snapshots also help against wrong
 * data, the loss of a zone and deletion in the console.
 */
export const historyHasSnapshots: StackValidationPolicy = {
  name: "history-has-snapshots",
  description: "Every disk has a snapshot schedule.",
  validateStack: ({ resources }, report) => {
    const attachments = ofType(resources, ATTACHMENT).filter((one) => isSchedule(one, resources));
    for (const disk of ofType(resources, DISK)) {
      if (attachments.some((attachment) => belongs(attachment, disk))) continue;
      report(
        "It has no snapshot schedule. Add a compute.DiskResourcePolicyAttachment for it to a compute.ResourcePolicy with a " +
          "snapshotSchedulePolicy.",
        disk.urn,
      );
    }
  },
};

function belongs(attachment: PolicyResource, disk: PolicyResource): boolean {
  return (
    attachment.propertyDependencies["disk"]?.includes(disk) === true || refersTo(attachment, "disk", disk)
  );
}

/** Returns whether the attached resource policy has a schedule. A policy of another stack is assumed to have one. */
function isSchedule(attachment: PolicyResource, resources: PolicyResource[]): boolean {
  const policies = ofType(resources, RESOURCE_POLICY);
  const attached =
    ofType(attachment.propertyDependencies["name"] ?? [], RESOURCE_POLICY)[0] ??
    policies.find((policy) => refersTo(attachment, "name", policy));
  return attached === undefined || attached.props["snapshotSchedulePolicy"] !== undefined;
}

/** Returns whether a property of one resource is the name of the other. Unknown values don't match. */
function refersTo(one: PolicyResource, property: string, other: PolicyResource): boolean {
  const wanted = ifKnown(() => one.props[property] as unknown);
  return wanted !== undefined && wanted === ifKnown(() => other.props["name"] as unknown);
}

/** Policies for Google Cloud. */
export const googlePolicies = [
  nodesArePrivate,
  controlPlaneIsClosed,
  nodesHaveTheirAccount,
  nodeAccountsAreNarrow,
  nodesAreShielded,
  rolesAreNarrow,
  historyIsProtected,
  historyHasSnapshots,
];
