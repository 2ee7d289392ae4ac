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
 * No node has an address of the internet's: a kubelet, or a pod on the host's network, that only a firewall
 * rule hides is one mistake away from everybody.
 */
export const nodesArePrivate: ResourceValidationPolicy = {
  name: "nodes-are-private",
  description: "Nodes have no public address.",
  validateResource: validate(on(CLUSTER, clusterIsPrivate), on(NODE_POOL, poolIsPrivate)),
};

function clusterIsPrivate({ privateClusterConfig }: Cluster): string[] {
  if (privateClusterConfig?.enablePrivateNodes === true) return [];
  return ["Its nodes get public addresses: set privateClusterConfig.enablePrivateNodes to true."];
}

/** A pool that says nothing follows its cluster; one that says false overrules it. */
function poolIsPrivate({ networkConfig }: NodePool): string[] {
  if (networkConfig?.enablePrivateNodes !== false) return [];
  return ["Its nodes get public addresses: take networkConfig.enablePrivateNodes away, or set it to true."];
}

/**
 * The control plane answers by its DNS name, where Google's IAM asks who it is before anything else, or by
 * an address to networks that are named; never by an address to the whole internet, where it is one
 * vulnerability of the API server away from being somebody else's.
 */
export const controlPlaneIsClosed: ResourceValidationPolicy = {
  name: "control-plane-is-closed",
  description: "The control plane is not open to the internet.",
  validateResource: validate(
    on(CLUSTER, (cluster: Cluster) => [...addressIsClosed(cluster), ...dnsNameIsGuarded(cluster)]),
  ),
};

function addressIsClosed(cluster: Cluster): string[] {
  const off = cluster.controlPlaneEndpointsConfig?.ipEndpointsConfig?.enabled === false;
  if (off || cluster.privateClusterConfig?.enablePrivateEndpoint === true) return [];
  const networks = cluster.masterAuthorizedNetworksConfig;
  if (networks === undefined) {
    return [
      "Its control plane answers to every address: set controlPlaneEndpointsConfig.ipEndpointsConfig.enabled " +
        "to false and use the DNS endpoint, or name who may come in masterAuthorizedNetworksConfig.",
    ];
  }
  const open = (networks.cidrBlocks ?? []).map(({ cidrBlock }) => tooOpen(cidrBlock));
  return [
    ...open
      .filter((problem) => problem !== undefined)
      .map((problem) => `${problem}: name narrower ranges in masterAuthorizedNetworksConfig.cidrBlocks.`),
    // Unset, GKE lets them in.
    ...(networks.gcpPublicCidrsAccessEnabled === false
      ? []
      : [
          "Every customer of Google Cloud may reach its control plane: set " +
            "masterAuthorizedNetworksConfig.gcpPublicCidrsAccessEnabled to false.",
        ]),
  ];
}

function dnsNameIsGuarded({ controlPlaneEndpointsConfig }: Cluster): string[] {
  const dns = controlPlaneEndpointsConfig?.dnsEndpointConfig;
  const ways = [
    ["enableK8sTokensViaDns", dns?.enableK8sTokensViaDns],
    ["enableK8sCertsViaDns", dns?.enableK8sCertsViaDns],
  ] as const;
  return ways
    .filter(([, enabled]) => enabled === true)
    .map(
      ([way]) =>
        `Its DNS endpoint takes credentials that Google's IAM knows nothing of: ` +
        `set controlPlaneEndpointsConfig.dnsEndpointConfig.${way} to false.`,
    );
}

/**
 * Nodes have an account of their own. Without one they get the project's default account, which is an editor
 * of the whole project in many: then so is every pod that reaches a node's metadata.
 */
export const nodesHaveTheirAccount: ResourceValidationPolicy = {
  name: "nodes-have-their-account",
  description: "Nodes run as an account of their own, not as the project's default one.",
  validateResource: validate(on(CLUSTER, defaultPoolHasAccount), on(NODE_POOL, poolHasAccount)),
};

/** A default pool that is removed has run for minutes, too. */
function defaultPoolHasAccount({ nodeConfig }: Cluster): string[] {
  if (hasAccount(nodeConfig)) return [];
  return [
    "Its default nodes run as the project's default account, even those that removeDefaultNodePool removes: " +
      "set nodeConfig.serviceAccount to an account of their own.",
  ];
}

function poolHasAccount({ nodeConfig }: NodePool): string[] {
  if (hasAccount(nodeConfig)) return [];
  return [
    "Its nodes run as the project's default account: set nodeConfig.serviceAccount to one of their own.",
  ];
}

/** An account that isn't known yet is one that is being made. */
function hasAccount(nodeConfig: NodePool["nodeConfig"]): boolean {
  if (nodeConfig === undefined || !("serviceAccount" in nodeConfig)) return false;
  return (ifKnown(() => nodeConfig.serviceAccount) ?? "the new one's") !== "default";
}

/** What a node needs: logs, metrics and its images (cloud.google.com/kubernetes-engine/docs/how-to/hardening-your-cluster). */
const NODE_ROLES = ["roles/container.defaultNodeServiceAccount", "roles/artifactregistry.reader"];

/**
 * The nodes' account may do what a node needs and nothing else: whatever it may do, a pod that breaks out
 * of its container may do too.
 */
export const nodeAccountsAreNarrow: StackValidationPolicy = {
  name: "node-accounts-are-narrow",
  description: `The nodes' account has no roles but ${NODE_ROLES.join(" and ")}.`,
  validateStack: ({ resources }, report) => {
    const pools = [...ofType(resources, NODE_POOL), ...ofType(resources, CLUSTER)];
    const accounts = new Set(pools.flatMap(accountsOf));
    for (const grant of resources.filter(({ type }) => isGrant(type))) {
      const [account] = granteesOf(grant).filter((one) => accounts.has(one));
      if (account === undefined) continue;
      for (const role of rolesOf(grant.props).filter((one) => !NODE_ROLES.includes(one))) {
        report(
          `It gives ${role} to the nodes' account: take it away, and give it to the account of the ` +
            "workload that needs it (Workload Identity).",
          grant.urn,
        );
      }
    }
  },
};

/** The accounts of a pool's nodes: their addresses where they are known, and the resources that make them. */
function accountsOf(pool: PolicyResource): string[] {
  const { nodeConfig } = pool.props as NodePool;
  const email = ifKnown(() => nodeConfig?.serviceAccount);
  return [...(email === undefined ? [] : [email]), ...madeBy(pool, "nodeConfig")];
}

/** Who a grant is for, in the same terms. */
function granteesOf(grant: PolicyResource): string[] {
  const inputs = grant.props as { member?: string; members?: string[] };
  const member = ifKnown(() => inputs.member);
  const members = ifKnown(() => [...(inputs.members ?? [])]) ?? [];
  const emails = [...(member === undefined ? [] : [member]), ...members];
  return [
    ...emails.map((one) => one.replace(/^serviceAccount:/, "")),
    ...madeBy(grant, "member"),
    ...madeBy(grant, "members"),
  ];
}

/** The accounts of this stack that a property depends on: in a preview all that is known of a new one. */
function madeBy(resource: PolicyResource, property: string): string[] {
  return ofType(resource.propertyDependencies[property] ?? [], ACCOUNT).map(({ urn }) => urn);
}

/**
 * Nobody is made an owner, an editor or an administrator by this program: such a role is never needed to push
 * or to read a metric, and it outlives whoever thought of it.
 */
export const rolesAreNarrow: ResourceValidationPolicy = {
  name: "roles-are-narrow",
  description: "No grant of an owner's, editor's or administrator's role.",
  validateResource: validate(
    onAny(isGrant, (inputs: Record<string, unknown>) =>
      rolesOf(inputs)
        .filter((role) => /^roles\/(owner|editor)$|admin$/i.test(role))
        .map(
          (role) => `It gives ${role}, which is far too much: give the narrowest role that does the work.`,
        ),
    ),
  ),
};

/** Whether it is one of the many types that grant roles: of a project, an account, a bucket, … */
function isGrant(type: string): boolean {
  return /^gcp:.*iam(Member|Binding|Policy)$/i.test(type);
}

/** The roles it grants; a whole policy comes as one text. */
function rolesOf(inputs: Record<string, unknown>): string[] {
  const { role, policyData } = inputs;
  const roles = typeof policyData === "string" ? (policyData.match(/roles\/[\w.]+/g) ?? []) : [];
  return typeof role === "string" ? [role, ...roles] : roles;
}

/**
 * The disks hold five years of measurements, which nobody can measure again. So the engine is told never to
 * delete one, neither in a `destroy` nor because a change would replace it. Stacks that are made to be
 * thrown away, with nothing in them that anybody would miss, are named in the rule's configuration.
 */
export const historyIsProtected: ResourceValidationPolicy = {
  name: "history-is-protected",
  description: "The engine refuses to delete a disk.",
  configSchema: {
    properties: {
      throwAwayStacks: {
        type: "array",
        items: { type: "string" },
        default: ["local"],
        description: "Names of stacks whose disks may go.",
      },
    },
  },
  validateResource: validate(
    on(DISK, (_: Unwrap<DiskArgs>, disk) => {
      const { throwAwayStacks } = disk.getConfig<{ throwAwayStacks: string[] }>();
      const stack = stackOf(disk.urn);
      if (throwAwayStacks.includes(stack)) disk.notApplicable(`The stack ${stack} may be thrown away.`);
      if (disk.opts.protect) return [];
      return [
        "It can be deleted, with all history on it: set the option protect to true " +
          "(in this project: disks.protect in the stack's file).",
      ];
    }),
  ),
};

/** "urn:pulumi:STACK::PROJECT::…" */
function stackOf(urn: string): string {
  return /^urn:pulumi:([^:]+)::/.exec(urn)?.[1] ?? "";
}

/**
 * Every disk is photographed on a schedule: protection is against a wrong command, a snapshot against wrong
 * data, a lost zone, or a wrong command in the console.
 */
export const historyHasSnapshots: StackValidationPolicy = {
  name: "history-has-snapshots",
  description: "Every disk has a schedule of snapshots.",
  validateStack: ({ resources }, report) => {
    const attachments = ofType(resources, ATTACHMENT).filter((one) => isSchedule(one, resources));
    for (const disk of ofType(resources, DISK)) {
      if (attachments.some((attachment) => belongs(attachment, disk))) continue;
      report(
        "Nothing takes snapshots of it: add a compute.DiskResourcePolicyAttachment for it, " +
          "of a compute.ResourcePolicy with a snapshotSchedulePolicy.",
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

/** Whether what is attached is a schedule; what this stack doesn't make is taken for one. */
function isSchedule(attachment: PolicyResource, resources: PolicyResource[]): boolean {
  const policies = ofType(resources, RESOURCE_POLICY);
  const attached =
    ofType(attachment.propertyDependencies["name"] ?? [], RESOURCE_POLICY)[0] ??
    policies.find((policy) => refersTo(attachment, "name", policy));
  return attached === undefined || attached.props["snapshotSchedulePolicy"] !== undefined;
}

/** Whether a property of the one is the name of the other, as far as both are known. */
function refersTo(one: PolicyResource, property: string, other: PolicyResource): boolean {
  const wanted = ifKnown(() => one.props[property] as unknown);
  return wanted !== undefined && wanted === ifKnown(() => other.props["name"] as unknown);
}

/** Google's side. */
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
