import { z } from "zod";
import {
  address,
  boolean,
  enumOf,
  googleName,
  integer,
  object,
  sourceRanges,
  string,
  subnetworkRange,
} from "./types.ts";

const MIN_DISK_GB = 10;
const MAX_DISK_GB = 65536;
const diskGb = () => integer(MIN_DISK_GB, MAX_DISK_GB, " GiB");

/** The key `cluster`. */
export const cluster = object({
  name: googleName(24, ' (the nodes\' service account, "NAME-nodes", has at most 30)').describe(
    "Name of the cluster, and prefix of the names of its node pool and service account, and of the addresses and disks. Unique among the stacks of a project.",
  ),
  nodeCount: integer(1, 100).describe(
    "Number of nodes. With only one node, both pods of the push queue run on it: if it is lost, pushes are refused until " +
      "GKE has replaced it.",
  ),
  machineType: string("a machine type, like e2-standard-2", /^[a-z][a-z0-9]*(-[a-z0-9]+)+$/)
    .default("e2-standard-2")
    .describe("Machine type of each node."),
  nodeDiskGb: diskGb()
    .default(30)
    .describe("Size of each node's boot disk in GiB, for the operating system, images and logs."),
  spot: boolean(false).describe(
    "Uses Spot VMs, which cost less and may be preempted at any time. Requires `cluster.acceptInterruptions`.",
  ),
  acceptInterruptions: boolean(false).describe(
    "Accepts that Prometheus, the Pushgateway and Grafana are unavailable until a preempted node is replaced.",
  ),
  networkPolicy: enumOf("dataplane-v2", "calico")
    .default("dataplane-v2")
    .describe("Implementation of network policies: GKE Dataplane V2 or Calico."),
  deletionProtection: boolean(true).describe(
    "Whether Pulumi refuses to delete the cluster. Set this to false only before you delete the environment or replace the cluster.",
  ),
  endpoint: enumOf("dns", "ip")
    .default("dns")
    .describe(
      "Endpoint of the control plane: `dns` is a name with access by IAM; `ip` is an address with access from " +
        "`cluster.authorizedNetworks`.",
    ),
  authorizedNetworks: sourceRanges("a list of IPv4 ranges, like [203.0.113.0/24]", 0)
    .default([])
    .meta({
      description:
        "Ranges that may connect to the control plane's address. Only with `cluster.endpoint: ip`.",
      examples: [["203.0.113.0/24"]],
    }),
}).describe("The GKE cluster.");

/** The key `network`. */
export const network = object({
  name: googleName(
    50,
    ' (the names of the firewall rule, "NAME-ssh-to-ci", and of the peerings, "NAME-to-PEER", have at most 63)',
  )
    .optional()
    .describe(
      "Name of the subnetwork, the router, the NAT and, unless `network.vpc` is set, the new VPC. Unique among the stacks " +
        "of a project. Defaults to `cluster.name`.",
    ),
  vpc: googleName(63)
    .optional()
    .meta({
      description: "Existing VPC of the project that is used instead of a new one.",
      examples: ["ci"],
    }),
  peers: z
    .array(googleName(63), { error: "a list of names of VPCs, like [default]" })
    .default([])
    .describe(
      "VPCs of the project to peer with, so that their machines can connect to the reserved addresses.",
    ),
  primaryCidr: subnetworkRange(8, 27).describe("Range of the nodes and the load balancers."),
  podCidr: subnetworkRange(9, 24).describe(
    "Range of the pods: a /24 for each node, and a /24 for upgrades. You can't change the range later.",
  ),
  serviceCidr: subnetworkRange(16, 27).describe(
    "Range of the Services in the cluster. You can't change the range later.",
  ),
  controlPlaneCidr: subnetworkRange(28, 28)
    .optional()
    .meta({
      description:
        "Range of the control plane. Only with `cluster.endpoint: ip`. Without this key, the control plane has an " +
        "address in `network.primaryCidr`. Adding or changing the key replaces the cluster.",
      examples: ["10.250.16.0/28"],
    }),
}).describe("The network and its ranges, which must not overlap.");

/** The key `addresses`. */
export const addresses = object({
  pushGateway: address.describe("Address of the Pushgateway, for CI."),
  prometheus: address.describe("Address of Prometheus."),
  grafana: address.describe("Address of Grafana."),
}).describe("Reserved internal addresses: three different addresses in `network.primaryCidr`.");

/** The key `disks`. */
export const disks = object({
  prometheusGb: diskGb()
    .default(200)
    .describe("Size of Prometheus's disk in GiB, for five years of series. Disks can grow but not shrink."),
  pushGatewayGb: diskGb()
    .default(10)
    .describe("Size of the Pushgateway's disk in GiB, for the last push of each group."),
  grafanaGb: diskGb()
    .default(10)
    .describe("Size of Grafana's disk in GiB, for its database: users and manual changes."),
  alertmanagerGb: diskGb()
    .default(10)
    .describe("Size of Alertmanager's disk in GiB, for silences and the notification log."),
  protect: boolean(true).describe(
    "Whether Pulumi refuses to delete the disks, the generated passwords, and the address for pushes from the " +
      "internet. Set this to false only before you delete the history.",
  ),
})
  .prefault({})
  .describe("The disks, which are kept when the cluster is deleted.");

// Types of these keys' values after defaults are applied, for the arguments of components.
export type ClusterConfig = z.infer<typeof cluster>;
export type NetworkConfig = z.infer<typeof network>;
export type AddressesConfig = z.infer<typeof addresses>;
export type DisksConfig = z.infer<typeof disks>;
