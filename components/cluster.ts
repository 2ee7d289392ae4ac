import { Cluster as GkeCluster } from "@pulumi/gcp/container/cluster.js";
import type { ClusterArgs as GkeClusterArgs } from "@pulumi/gcp/container/cluster.js";
import { NodePool } from "@pulumi/gcp/container/nodePool.js";
import type { NodePoolArgs } from "@pulumi/gcp/container/nodePool.js";
import { IAMMember } from "@pulumi/gcp/projects/iammember.js";
import { Account } from "@pulumi/gcp/serviceaccount/account.js";
import * as pulumi from "@pulumi/pulumi";
import { kubeconfig } from "./kubeconfig.ts";
import type { Network } from "./network.ts";
import type { StackLabels } from "./stack-labels.ts";

/** What the cluster needs to know. */
export interface ClusterArgs {
  /** Google project id. */
  project: string;
  /** Google zone: a zonal control plane is free, and the disks are zonal too. */
  zone: string;
  /** The cluster's name. */
  clusterName: string;
  /** Nodes in the pool. */
  nodeCount: number;
  /** Machine type of a node, e.g. "e2-standard-2". */
  machineType: string;
  /** Size of a node's own disk, GiB: system, images, logs. */
  nodeDiskGb: number;
  /** Whether nodes are Spot: cheaper, and Google may take them away at any time. */
  spot: boolean;
  /** Who enforces network policies: Google's Dataplane V2, or Calico on the older dataplane. */
  networkPolicy: "dataplane-v2" | "calico";
  /** Whether Google and the engine refuse to delete the cluster. */
  deletionProtection: boolean;
  /** "dns": the name that Google's IAM guards, no open address. "ip": an address, for `authorizedNetworks`. */
  endpoint: "dns" | "ip";
  /** Who may reach the control plane's address when endpoint is "ip". */
  authorizedNetworks: string[];
  /** IPv4 range of the control plane, a /28. Used only when endpoint is "ip". @default GKE chooses */
  controlPlaneCidr?: string;
  /** Labels of the cluster and of the nodes' machines. */
  labels: StackLabels;
  /** The network it lives in. */
  network: Network;
  /** The APIs that have to be on. */
  apis: pulumi.Input<pulumi.Resource[]>;
}

/** What a node's own account may do, and nothing else: logs and metrics, and pulling images. */
const NODE_ROLES = {
  node: "roles/container.defaultNodeServiceAccount",
  images: "roles/artifactregistry.reader",
};

/** A GKE cluster of private nodes, and the node pool in which everything runs. */
export class Cluster extends pulumi.ComponentResource {
  /** The kubeconfig, for the provider, the tunnel and people. */
  readonly kubeconfig: pulumi.Output<string>;
  /** Its name in full: project, zone and name. */
  readonly identifier: string;
  /** The nodes. What runs on them depends on this, so that it is deleted while they still live. */
  readonly nodes: NodePool;

  constructor(name: string, args: ClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:google:Cluster", name, {}, opts);

    const { account, roles } = this.makeAccount(name, args);
    const cluster = new GkeCluster(`${name}-gke`, clusterSettings(args, account.email), {
      parent: this,
      // GKE makes a default pool before the provider removes it, with nodes that run as the account.
      dependsOn: [...roles, ...args.network.peerings],
      // Settings of the removed pool. Reading the cluster returns another pool's or none, and a change would replace the
      // cluster (terraform-google-kubernetes-engine#2014).
      ignoreChanges: ["nodeConfig"],
      customTimeouts: { create: "30m", update: "60m", delete: "30m" },
    });
    this.nodes = this.makeNodes(name, args, { cluster, account, roles });

    const caCertificate = cluster.masterAuth.clusterCaCertificate;
    this.kubeconfig = pulumi.secret(
      pulumi
        .all([cluster.endpoint, cluster.controlPlaneEndpointsConfig, caCertificate])
        .apply(([address, endpoints, ca]) =>
          args.endpoint === "ip"
            ? kubeconfig({ clusterName: args.clusterName, endpoint: address, caCertificate: ca })
            : kubeconfig({
                clusterName: args.clusterName,
                endpoint: endpoints.dnsEndpointConfig.endpoint,
              }),
        ),
    );
    this.identifier = `${args.project}/${args.zone}/${args.clusterName}`;
    this.registerOutputs({ identifier: this.identifier });
  }

  /** Creates the nodes' service account with its roles. */
  private makeAccount(name: string, args: ClusterArgs): { account: Account; roles: IAMMember[] } {
    const account = new Account(
      `${name}-node-account`,
      { accountId: `${args.clusterName}-nodes`, displayName: `Nodes of the cluster ${args.clusterName}` },
      { parent: this, dependsOn: args.apis },
    );
    const roles = Object.entries(NODE_ROLES).map(
      ([what, role]) =>
        new IAMMember(
          `${name}-node-role-${what}`,
          { project: args.project, role, member: account.member },
          { parent: this },
        ),
    );
    return { account, roles };
  }

  private makeNodes(
    name: string,
    args: ClusterArgs,
    made: { cluster: GkeCluster; account: Account; roles: IAMMember[] },
  ): NodePool {
    return new NodePool(
      `${name}-nodes`,
      {
        name: poolName(args),
        location: args.zone,
        cluster: made.cluster.name,
        nodeCount: args.nodeCount,
        management: { autoRepair: true, autoUpgrade: true },
        upgradeSettings: { maxSurge: 1, maxUnavailable: 0 },
        nodeConfig: nodeSettings(args, made.account.email),
      },
      {
        parent: this,
        // Nodes without NAT can't pull images, and without their roles never become ready.
        dependsOn: [...made.roles, args.network.nat],
        customTimeouts: { create: "20m", update: "60m", delete: "20m" },
      },
    );
  }
}

/**
 * The pool's name. Whatever forces another pool has to change it: the provider then creates the new pool before it
 * drains and deletes the old one; two pools of one name can't exist, so the old one would go first. Of the arguments
 * only `spot` does; GKE changes machine type and disk of a pool in place, node by node, each new one first.
 */
function poolName({ clusterName, spot }: ClusterArgs): string {
  return spot ? `${clusterName}-spot-nodes` : `${clusterName}-nodes`;
}

function clusterSettings(args: ClusterArgs, nodeAccount: pulumi.Input<string>): GkeClusterArgs {
  return {
    name: args.clusterName,
    location: args.zone,
    network: args.network.networkLink,
    subnetwork: args.network.subnetworkLink,
    ipAllocationPolicy: {
      clusterSecondaryRangeName: args.network.podRangeName,
      servicesSecondaryRangeName: args.network.serviceRangeName,
    },
    // The pool that stays is a resource of its own. Until GKE's default pool is removed, its node is one like those:
    // without an account it would run as the Compute Engine default one (terraform-provider-google#4435).
    removeDefaultNodePool: true,
    initialNodeCount: 1,
    nodeConfig: nodeSettings(args, nodeAccount),
    deletionProtection: args.deletionProtection,
    ...accessSettings(args),
    workloadIdentityConfig: { workloadPool: `${args.project}.svc.id.goog` },
    ...policySettings(args),
    enableL4IlbSubsetting: true,
    releaseChannel: { channel: "REGULAR" },
    maintenancePolicy: {
      // Daytime on weekends, from the hour on at which America's nights are over too (5 in the morning in the west).
      recurringWindow: {
        startTime: "2026-01-03T13:00:00Z",
        endTime: "2026-01-04T01:00:00Z",
        recurrence: "FREQ=WEEKLY;BYDAY=SA,SU",
      },
    },
    loggingConfig: { enableComponents: ["SYSTEM_COMPONENTS", "WORKLOADS"] },
    // Google's managed Prometheus would cost, and do the same work again.
    monitoringConfig: { enableComponents: ["SYSTEM_COMPONENTS"], managedPrometheus: { enabled: false } },
    costManagementConfig: { enabled: true },
    resourceLabels: args.labels,
  };
}

/** Dataplane V2 enforces network policies itself: never set networkPolicy together with it. */
function policySettings({ networkPolicy }: ClusterArgs): Partial<GkeClusterArgs> {
  if (networkPolicy === "dataplane-v2") return { datapathProvider: "ADVANCED_DATAPATH" };
  return {
    datapathProvider: "LEGACY_DATAPATH",
    networkPolicy: { enabled: true, provider: "CALICO" },
    addonsConfig: { networkPolicyConfig: { disabled: false } },
  };
}

function accessSettings(args: ClusterArgs): Partial<GkeClusterArgs> {
  const byAddress = args.endpoint === "ip";
  return {
    privateClusterConfig: {
      enablePrivateNodes: true,
      // Without an IP endpoint GKE sets it to true, and any other value is a difference in each preview
      // (terraform-provider-google#27901).
      enablePrivateEndpoint: !byAddress,
      masterIpv4CidrBlock: byAddress ? args.controlPlaneCidr : undefined,
    },
    controlPlaneEndpointsConfig: {
      dnsEndpointConfig: { allowExternalTraffic: !byAddress },
      ipEndpointsConfig: { enabled: byAddress },
    },
    masterAuthorizedNetworksConfig: byAddress
      ? {
          cidrBlocks: args.authorizedNetworks.map((cidrBlock) => ({ cidrBlock })),
          // Unset, GKE lets in the public addresses of all of Google Cloud.
          gcpPublicCidrsAccessEnabled: false,
        }
      : undefined,
    masterAuth: { clientCertificateConfig: { issueClientCertificate: false } },
    nodePoolDefaults: { nodeConfigDefaults: { insecureKubeletReadonlyPortEnabled: "FALSE" } },
    rbacBindingConfig: {
      enableInsecureBindingSystemAuthenticated: false,
      enableInsecureBindingSystemUnauthenticated: false,
    },
  };
}

function nodeSettings(args: ClusterArgs, serviceAccount: pulumi.Input<string>): NodePoolArgs["nodeConfig"] {
  return {
    machineType: args.machineType,
    imageType: "COS_CONTAINERD",
    diskType: "pd-balanced",
    diskSizeGb: args.nodeDiskGb,
    spot: args.spot,
    serviceAccount,
    // The account's roles limit it; scopes are the older way.
    oauthScopes: ["https://www.googleapis.com/auth/cloud-platform"],
    metadata: { "disable-legacy-endpoints": "true" },
    shieldedInstanceConfig: { enableSecureBoot: true, enableIntegrityMonitoring: true },
    workloadMetadataConfig: { mode: "GKE_METADATA" },
    labels: { "part-of": "k8sfv-metrics" },
    resourceLabels: args.labels,
  };
}
