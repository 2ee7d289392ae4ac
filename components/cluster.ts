import { Cluster as GkeCluster } from "@pulumi/gcp/container/cluster.js";
import type { ClusterArgs as GkeClusterArgs } from "@pulumi/gcp/container/cluster.js";
import { NodePool } from "@pulumi/gcp/container/nodePool.js";
import type { NodePoolArgs } from "@pulumi/gcp/container/nodePool.js";
import { IAMMember } from "@pulumi/gcp/projects/iammember.js";
import { Account } from "@pulumi/gcp/serviceaccount/account.js";
import * as pulumi from "@pulumi/pulumi";
import { kubeconfig } from "./kubeconfig.ts";
import type { Network } from "./network.ts";

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
  /** Addresses of the control plane, a /28. */
  controlPlaneCidr: string;
  /** The network it lives in. */
  network: Network;
  /** The APIs that have to be on. */
  apis: pulumi.Resource[];
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

    const cluster = new GkeCluster(`${name}-gke`, clusterSettings(args), {
      parent: this,
      customTimeouts: { create: "30m", update: "60m", delete: "30m" },
    });
    this.nodes = this.makeNodes(name, args, cluster);

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

  private makeNodes(name: string, args: ClusterArgs, cluster: GkeCluster): NodePool {
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
    return new NodePool(
      `${name}-nodes`,
      {
        name: `${args.clusterName}-nodes`,
        location: args.zone,
        cluster: cluster.name,
        nodeCount: args.nodeCount,
        management: { autoRepair: true, autoUpgrade: true },
        upgradeSettings: { maxSurge: 1, maxUnavailable: 0 },
        nodeConfig: nodeSettings(args, account.email),
      },
      {
        parent: this,
        // Nodes without a way out pull no image, and without their roles never get ready.
        dependsOn: [...roles, args.network.nat],
        customTimeouts: { create: "20m", update: "60m", delete: "20m" },
      },
    );
  }
}

function clusterSettings(args: ClusterArgs): GkeClusterArgs {
  return {
    name: args.clusterName,
    location: args.zone,
    network: args.network.networkLink,
    subnetwork: args.network.subnetworkLink,
    ipAllocationPolicy: {
      clusterSecondaryRangeName: args.network.podRangeName,
      servicesSecondaryRangeName: args.network.serviceRangeName,
    },
    // The pool of our own is a resource of its own; a cluster-level nodeConfig would show a difference
    // for ever (terraform-google-kubernetes-engine#2014).
    removeDefaultNodePool: true,
    initialNodeCount: 1,
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
    resourceLabels: { "part-of": "k8sfv-metrics" },
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
      enablePrivateEndpoint: byAddress ? false : undefined,
      masterIpv4CidrBlock: args.controlPlaneCidr,
    },
    controlPlaneEndpointsConfig: {
      dnsEndpointConfig: { allowExternalTraffic: !byAddress },
      ipEndpointsConfig: { enabled: byAddress },
    },
    masterAuthorizedNetworksConfig: byAddress
      ? { cidrBlocks: args.authorizedNetworks.map((cidrBlock) => ({ cidrBlock })) }
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
  };
}
