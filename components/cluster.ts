import { Cluster as GkeCluster } from "@pulumi/gcp/container/cluster.js";
import type { ClusterArgs as GkeClusterArgs } from "@pulumi/gcp/container/cluster.js";
import { NodePool } from "@pulumi/gcp/container/nodePool.js";
import type { NodePoolArgs } from "@pulumi/gcp/container/nodePool.js";
import { IAMMember } from "@pulumi/gcp/projects/iammember.js";
import { Account } from "@pulumi/gcp/serviceaccount/account.js";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterConfig } from "../config/schema-cloud.ts";
import { kubeconfig } from "./kubeconfig.ts";
import type { Network } from "./network.ts";
import type { StackLabels } from "./stack-labels.ts";

/** Arguments of the Cluster component. */
export interface ClusterArgs extends Omit<ClusterConfig, "name" | "acceptInterruptions"> {
  /** Google project id. */
  project: string;
  /** Google zone of the cluster. The disks are in one zone too, and GKE's free tier covers one zonal cluster. */
  zone: string;
  /** Name of the cluster. */
  clusterName: string;
  /** IPv4 range of the control plane, a /28. Used only when endpoint is "ip". @default GKE chooses */
  controlPlaneCidr?: string;
  /** Labels of the cluster and of the nodes' VMs. */
  labels: StackLabels;
  /** Network of the cluster. */
  network: Network;
  /** Enabled APIs, which the cluster depends on. */
  apis: pulumi.Input<pulumi.Resource[]>;
}

/** Roles of the nodes' service account: only to write logs and metrics and to pull images. */
const NODE_ROLES = {
  node: "roles/container.defaultNodeServiceAccount",
  images: "roles/artifactregistry.reader",
};

/** A GKE cluster of private nodes, with one node pool for all workloads. */
export class Cluster extends pulumi.ComponentResource {
  /** Kubeconfig for the Kubernetes provider, the tunnel to Grafana, and people. */
  readonly kubeconfig: pulumi.Output<string>;
  /** Full name of the cluster: "PROJECT/ZONE/NAME". */
  readonly identifier: string;
  /** Node pool. The workloads' namespace depends on it, so Pulumi deletes the workloads while the nodes still run. */
  readonly nodes: NodePool;

  constructor(name: string, args: ClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:google:Cluster", name, {}, opts);

    const { account, roles } = this.makeAccount(name, args);
    const cluster = new GkeCluster(`${name}-gke`, clusterSettings(args, account.email), {
      parent: this,
      // GKE first creates a default node pool, which the provider then removes. The nodes of the default pool use the
      // service account, so the account's roles must exist before the cluster. For the reason to wait for the peerings,
      // see `peerings` in network.ts.
      dependsOn: [...roles, ...args.network.peerings],
      // `nodeConfig` describes the default pool, which is removed. Reading the cluster returns the settings of another
      // pool or none, and a difference would replace the cluster (terraform-google-kubernetes-engine#2014).
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
    created: { cluster: GkeCluster; account: Account; roles: IAMMember[] },
  ): NodePool {
    return new NodePool(
      `${name}-nodes`,
      {
        name: poolName(args),
        location: args.zone,
        cluster: created.cluster.name,
        nodeCount: args.nodeCount,
        management: { autoRepair: true, autoUpgrade: true },
        upgradeSettings: { maxSurge: 1, maxUnavailable: 0 },
        nodeConfig: nodeSettings(args, created.account.email),
      },
      {
        parent: this,
        // Without NAT, nodes can't pull images. Without the roles, they can't send logs and metrics, and may fail to
        // register (cloud.google.com/kubernetes-engine/docs/troubleshooting/service-accounts).
        dependsOn: [...created.roles, args.network.nat],
        customTimeouts: { create: "20m", update: "60m", delete: "20m" },
      },
    );
  }
}

/**
 * Returns the node pool's name. Each change that replaces the pool must also change the pool's name. Then the new pool
 * is created before the old one is drained and deleted; with the same name, the old pool would have to be deleted
 * first. Only `spot` replaces the pool. GKE changes machine type and disk in place: it creates each new node before it
 * deletes an old one.
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
    // The cluster's node pool is a separate resource, so the provider removes GKE's default pool after the creation.
    // Until then, the default pool's node uses `nodeConfig`. Without it, that node would use Compute Engine's default
    // service account (terraform-provider-google#4435).
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
      // Saturdays and Sundays from 13:00 to 1:00 UTC. This is daytime in America (from 5:00 Pacific Standard Time), so
      // that no nightly run is disturbed.
      recurringWindow: {
        startTime: "2026-01-03T13:00:00Z",
        endTime: "2026-01-04T01:00:00Z",
        recurrence: "FREQ=WEEKLY;BYDAY=SA,SU",
      },
    },
    loggingConfig: { enableComponents: ["SYSTEM_COMPONENTS", "WORKLOADS"] },
    // Google Cloud Managed Service for Prometheus would cost money and collect the same metrics twice.
    monitoringConfig: { enableComponents: ["SYSTEM_COMPONENTS"], managedPrometheus: { enabled: false } },
    costManagementConfig: { enabled: true },
    resourceLabels: args.labels,
  };
}

/**
 * Returns the arguments for network policies. Dataplane V2 enforces policies itself, and GKE rejects
 * `networkPolicy` together with it.
 */
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
      // Without an IP endpoint, GKE sets this argument to true. Any other value would be a difference in each preview
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
          // By default GKE admits all public addresses of Google Cloud.
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
    // Permissions are limited by the service account's roles; access scopes are the legacy method.
    oauthScopes: ["https://www.googleapis.com/auth/cloud-platform"],
    metadata: { "disable-legacy-endpoints": "true" },
    shieldedInstanceConfig: { enableSecureBoot: true, enableIntegrityMonitoring: true },
    workloadMetadataConfig: { mode: "GKE_METADATA" },
    labels: { "part-of": "k8sfv-metrics" },
    resourceLabels: args.labels,
  };
}
