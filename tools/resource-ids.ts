/** The provider's default project and location. */
export interface Defaults {
  project: string;
  region: string;
  zone: string;
}

type Inputs = Partial<Record<string, unknown>>;
type Id = (inputs: Inputs, defaults: Defaults) => string;

const of = (inputs: Inputs, key: string): string => {
  const value = inputs[key];
  return typeof value === "string" ? value : "";
};
const grafanaId =
  (key: string): Id =>
  (inputs) =>
    `${MAIN_ORGANISATION}:${of(inputs, key)}`;
/** Returns the last part of a self link, or a plain name unchanged. */
const lastPartOf = (inputs: Inputs, key: string): string => of(inputs, key).split("/").at(-1) ?? "";

const globalPath =
  (collection: string): Id =>
  (inputs, { project }) =>
    `projects/${project}/global/${collection}/${of(inputs, "name")}`;
const regionalPath =
  (collection: string): Id =>
  (inputs, { project, region }) =>
    `projects/${project}/regions/${region}/${collection}/${of(inputs, "name")}`;

/** Grafana's first organization, the only one that the program uses. */
const MAIN_ORGANISATION = 1;

/**
 * Import IDs by resource type, computed from the arguments (pulumi.com/registry/packages/gcp, .../grafana). Other types
 * need no import: a Kubernetes object (server-side apply) or a dashboard (`overwrite`) can be created again, a Google
 * API can be enabled again, and a generated password exists only in the state.
 *
 * If the state lacks the resource that enables a Google API, the resources that depend on it are not imported
 * (asCreated in import-existing.ts): the API may be disabled, and Google then rejects all requests to it.
 */
const IDS: Partial<Record<string, Id>> = {
  "gcp:compute/network:Network": globalPath("networks"),
  "gcp:compute/firewall:Firewall": globalPath("firewalls"),
  "gcp:compute/subnetwork:Subnetwork": regionalPath("subnetworks"),
  "gcp:compute/router:Router": regionalPath("routers"),
  "gcp:compute/address:Address": regionalPath("addresses"),
  "gcp:compute/globalAddress:GlobalAddress": globalPath("addresses"),
  "gcp:compute/securityPolicy:SecurityPolicy": globalPath("securityPolicies"),
  "gcp:compute/resourcePolicy:ResourcePolicy": regionalPath("resourcePolicies"),
  "gcp:compute/networkPeering:NetworkPeering": (inputs, { project }) =>
    `${project}/${lastPartOf(inputs, "network")}/${of(inputs, "name")}`,
  "gcp:compute/routerNat:RouterNat": (inputs, { project, region }) =>
    `${project}/${region}/${of(inputs, "router")}/${of(inputs, "name")}`,
  "gcp:compute/disk:Disk": (inputs, { project, zone }) =>
    `projects/${project}/zones/${zone}/disks/${of(inputs, "name")}`,
  "gcp:compute/diskResourcePolicyAttachment:DiskResourcePolicyAttachment": (inputs, { project, zone }) =>
    `${project}/${zone}/${of(inputs, "disk")}/${of(inputs, "name")}`,
  "gcp:container/cluster:Cluster": (inputs, { project, zone }) =>
    `projects/${project}/locations/${zone}/clusters/${of(inputs, "name")}`,
  "gcp:container/nodePool:NodePool": (inputs, { project, zone }) =>
    `projects/${project}/locations/${zone}/clusters/${lastPartOf(inputs, "cluster")}/nodePools/${of(inputs, "name")}`,
  "gcp:serviceaccount/account:Account": (inputs, { project }) =>
    `projects/${project}/serviceAccounts/${of(inputs, "accountId")}@${project}.iam.gserviceaccount.com`,
  // The import ID contains spaces. The importer does not accept the form with slashes that the ID has in the state.
  "gcp:projects/iAMMember:IAMMember": (inputs, { project }) =>
    `${project} ${of(inputs, "role")} ${of(inputs, "member")}`,
  "grafana:oss/folder:Folder": grafanaId("uid"),
  "grafana:oss/dataSource:DataSource": grafanaId("uid"),
};

/**
 * Returns the import ID of a resource in the program.
 *
 * @param type Pulumi type token, e.g. "gcp:compute/disk:Disk"
 * @param inputs arguments, all known
 * @returns undefined if {@link IDS} lacks the type, because it needs no import or the program doesn't use it
 */
export function resourceId(type: string, inputs: Inputs, defaults: Defaults): string | undefined {
  return IDS[type]?.(inputs, defaults);
}
