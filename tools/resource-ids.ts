/** Where the provider looks for a resource whose arguments don't say it. */
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
const inGrafana =
  (key: string): Id =>
  (inputs) =>
    `${MAIN_ORGANISATION}:${of(inputs, key)}`;
/** The last part of a self link, or a name as it is. */
const nameIn = (inputs: Inputs, key: string): string => of(inputs, key).split("/").at(-1) ?? "";

const everywhere =
  (collection: string): Id =>
  (inputs, { project }) =>
    `projects/${project}/global/${collection}/${of(inputs, "name")}`;
const inRegion =
  (collection: string): Id =>
  (inputs, { project, region }) =>
    `projects/${project}/regions/${region}/${collection}/${of(inputs, "name")}`;

/** Grafana's first organisation, the only one that the program uses. */
const MAIN_ORGANISATION = 1;

/**
 * The id of each resource type that the program makes at Google and in Grafana, from the arguments it is made
 * with: the import formats in the providers' documentation (pulumi.com/registry/packages/gcp, .../grafana).
 * Not those that are made by saying what shall be (a PUT): they can be made twice. Nor an API that is switched on:
 * that can be done twice too, and what depends on one that the state doesn't know is not even to be asked for, since
 * Google refuses all questions to an API that is off.
 */
const IDS: Partial<Record<string, Id>> = {
  "gcp:compute/network:Network": everywhere("networks"),
  "gcp:compute/firewall:Firewall": everywhere("firewalls"),
  "gcp:compute/subnetwork:Subnetwork": inRegion("subnetworks"),
  "gcp:compute/router:Router": inRegion("routers"),
  "gcp:compute/address:Address": inRegion("addresses"),
  "gcp:compute/globalAddress:GlobalAddress": everywhere("addresses"),
  "gcp:compute/securityPolicy:SecurityPolicy": everywhere("securityPolicies"),
  "gcp:compute/resourcePolicy:ResourcePolicy": inRegion("resourcePolicies"),
  "gcp:compute/networkPeering:NetworkPeering": (inputs, { project }) =>
    `${project}/${nameIn(inputs, "network")}/${of(inputs, "name")}`,
  "gcp:compute/routerNat:RouterNat": (inputs, { project, region }) =>
    `${project}/${region}/${of(inputs, "router")}/${of(inputs, "name")}`,
  "gcp:compute/disk:Disk": (inputs, { project, zone }) =>
    `projects/${project}/zones/${zone}/disks/${of(inputs, "name")}`,
  "gcp:compute/diskResourcePolicyAttachment:DiskResourcePolicyAttachment": (inputs, { project, zone }) =>
    `${project}/${zone}/${of(inputs, "disk")}/${of(inputs, "name")}`,
  "gcp:container/cluster:Cluster": (inputs, { project, zone }) =>
    `projects/${project}/locations/${zone}/clusters/${of(inputs, "name")}`,
  "gcp:container/nodePool:NodePool": (inputs, { project, zone }) =>
    `projects/${project}/locations/${zone}/clusters/${nameIn(inputs, "cluster")}/nodePools/${of(inputs, "name")}`,
  "gcp:serviceaccount/account:Account": (inputs, { project }) =>
    `projects/${project}/serviceAccounts/${of(inputs, "accountId")}@${project}.iam.gserviceaccount.com`,
  // With spaces: the importer refuses the slashes of the id that the state has later.
  "gcp:projects/iAMMember:IAMMember": (inputs, { project }) =>
    `${project} ${of(inputs, "role")} ${of(inputs, "member")}`,
  "grafana:oss/folder:Folder": inGrafana("uid"),
  "grafana:oss/dataSource:DataSource": inGrafana("uid"),
};

/**
 * The id under which Google or Grafana has a resource that the program asks for.
 *
 * @param type - Pulumi's token, e.g. "gcp:compute/disk:Disk"
 * @param inputs - its arguments, all of them known
 * @returns undefined for other types: they can be made twice, or the program doesn't make them
 */
export function resourceId(type: string, inputs: Inputs, defaults: Defaults): string | undefined {
  return IDS[type]?.(inputs, defaults);
}
