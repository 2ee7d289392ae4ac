import type * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { parse } from "yaml";
import type { ClusterArgs } from "../../components/cluster.ts";
import type { NetworkArgs } from "../../components/network.ts";
import type { Recorded } from "./mocks.ts";
import { mockEngine, named, settled, valueOf } from "./mocks.ts";

const labels = { "pulumi-stack": "test" };
let recorded: Recorded[];

beforeEach(async () => {
  recorded = await mockEngine();
});

async function makeNetwork(changes: Partial<NetworkArgs> = {}) {
  const { Network } = await import("../../components/network.ts");
  return new Network("network", {
    project: "calico-test",
    networkName: "k8sfv",
    region: "us-central1",
    primaryCidr: "10.248.0.0/20",
    podCidr: "10.249.0.0/16",
    serviceCidr: "10.250.0.0/20",
    apis: [],
    ...changes,
  });
}

async function makeCluster(changes: Partial<ClusterArgs> = {}) {
  const { Cluster } = await import("../../components/cluster.ts");
  return new Cluster("cluster", {
    project: "calico-test",
    zone: "us-central1-b",
    clusterName: "k8sfv",
    nodeCount: 2,
    machineType: "e2-standard-2",
    nodeDiskGb: 30,
    spot: false,
    networkPolicy: "dataplane-v2",
    deletionProtection: true,
    endpoint: "dns",
    authorizedNetworks: [],
    controlPlaneCidr: "10.250.16.0/28",
    network: await makeNetwork(),
    labels,
    apis: [],
    ...changes,
  });
}

test("network: gives private nodes IP ranges, access to Google's APIs, and NAT", async () => {
  const network = await makeNetwork();
  await settled(recorded);
  const { inputs } = named(recorded, "network-subnetwork");
  expect(inputs.privateIpGoogleAccess).toBe(true);
  expect(inputs.secondaryIpRanges).toEqual([
    { rangeName: network.podRangeName, ipCidrRange: "10.249.0.0/16" },
    { rangeName: network.serviceRangeName, ipCidrRange: "10.250.0.0/20" },
  ]);
  expect(named(recorded, "network-nat").inputs).toMatchObject({
    sourceSubnetworkIpRangesToNat: "LIST_OF_SUBNETWORKS",
    subnetworks: [{ name: "link/k8sfv", sourceIpRangesToNats: ["ALL_IP_RANGES"] }],
  });
});

test("network: uses an existing VPC without changing it", async () => {
  const network = await makeNetwork({ existingVpc: "default" });
  await settled(recorded);
  const link = "https://www.googleapis.com/compute/v1/projects/calico-test/global/networks/default";
  expect(await valueOf(network.networkLink)).toBe(link);
  expect(recorded.filter(({ type }) => /\/network(Peering)?:/.test(type))).toEqual([]);
  for (const name of ["network-subnetwork", "network-router", "network-ssh-to-ci"]) {
    expect(named(recorded, name).inputs.network).toBe(link);
  }
});

test("network: creates both halves of a peering", async () => {
  await makeNetwork({ peers: ["default"] });
  await settled(recorded);
  const theirs = "https://www.googleapis.com/compute/v1/projects/calico-test/global/networks/default";
  expect(named(recorded, "network-peering-to-default").inputs).toEqual({
    name: "k8sfv-to-default",
    network: "link/k8sfv",
    peerNetwork: theirs,
  });
  expect(named(recorded, "network-peering-from-default").inputs).toEqual({
    name: "default-to-k8sfv",
    network: theirs,
    peerNetwork: "link/k8sfv",
  });
});

test("network: has no firewall rule that admits all addresses", async () => {
  await makeNetwork();
  await settled(recorded);
  const firewalls = recorded.filter(({ type }) => type === "gcp:compute/firewall:Firewall");
  expect(firewalls.map(({ inputs }) => inputs.sourceRanges)).toEqual([["35.235.240.0/20"]]);
});

test("addresses: are internal addresses of the nodes' subnetwork", async () => {
  const { Addresses } = await import("../../components/addresses.ts");
  const addresses = new Addresses("addresses", {
    prefix: "k8sfv",
    region: "us-central1",
    subnetworkLink: "link/k8sfv",
    pushGateway: "10.248.1.4",
    prometheus: "10.248.1.6",
    grafana: "10.248.1.7",
    labels,
  });
  expect(await valueOf(addresses.pushGateway)).toBe("10.248.1.4");
  await settled(recorded);
  expect(named(recorded, "addresses-grafana").inputs).toMatchObject({
    address: "10.248.1.7",
    addressType: "INTERNAL",
    purpose: "GCE_ENDPOINT",
    subnetwork: "link/k8sfv",
  });
});

async function makeDisks() {
  const { Disks } = await import("../../components/disks.ts");
  return new Disks("disks", {
    prefix: "k8sfv",
    region: "us-central1",
    zone: "us-central1-b",
    prometheusGb: 200,
    pushGatewayGb: 11,
    grafanaGb: 12,
    alertmanagerGb: 13,
    protect: true,
    labels,
    apis: [],
  });
}

test("disks: are in the cluster's zone and have their configured size", async () => {
  const disks = await makeDisks();
  expect(disks.prometheus.sizeGb).toBe(200);
  await settled(recorded);
  const created = recorded.filter(({ type }) => type === "gcp:compute/disk:Disk");
  const sizes = created.map(({ inputs }) => [inputs.name, inputs.size]);
  expect(sizes).toEqual([
    ["k8sfv-prometheus", 200],
    ["k8sfv-push-gateway", 11],
    ["k8sfv-grafana", 12],
    ["k8sfv-alertmanager", 13],
  ]);
});

test("disks: have daily snapshots, which are kept for two weeks", async () => {
  await makeDisks();
  await settled(recorded);
  expect(named(recorded, "disks-snapshots").inputs.snapshotSchedulePolicy).toMatchObject({
    schedule: { dailySchedule: { daysInCycle: 1, startTime: "12:00" } },
    retentionPolicy: { maxRetentionDays: 14, onSourceDiskDelete: "KEEP_AUTO_SNAPSHOTS" },
  });
  const attached = recorded.filter(({ type }) => type.endsWith(":DiskResourcePolicyAttachment"));
  expect(attached.map(({ inputs }) => [inputs.name, inputs.disk])).toEqual(
    ["prometheus", "push-gateway", "grafana", "alertmanager"].map((what) => [
      "k8sfv-snapshots",
      `k8sfv-${what}`,
    ]),
  );
});

test("cluster: uses Calico on the legacy dataplane if configured", async () => {
  await makeCluster({ networkPolicy: "calico" });
  await settled(recorded);
  expect(named(recorded, "cluster-gke").inputs).toMatchObject({
    datapathProvider: "LEGACY_DATAPATH",
    networkPolicy: { enabled: true, provider: "CALICO" },
    addonsConfig: { networkPolicyConfig: { disabled: false } },
  });
});

test("cluster: has private nodes, a service account with two roles, and no default node pool", async () => {
  await makeCluster();
  await settled(recorded);
  expect(named(recorded, "cluster-gke").inputs).toMatchObject({
    removeDefaultNodePool: true,
    deletionProtection: true,
    privateClusterConfig: { enablePrivateNodes: true },
    workloadIdentityConfig: { workloadPool: "calico-test.svc.id.goog" },
    releaseChannel: { channel: "REGULAR" },
  });
  const gke = named(recorded, "cluster-gke").inputs;
  expect(gke.nodeConfig, "the default node pool has the same service account as the nodes").toEqual(
    named(recorded, "cluster-nodes").inputs.nodeConfig,
  );
  expect(gke.networkPolicy, "GKE rejects this argument together with Dataplane V2").toBeUndefined();
  const roles = recorded.filter(({ type }) => type.endsWith(":IAMMember")).map(({ inputs }) => inputs.role);
  expect(roles).toEqual(["roles/container.defaultNodeServiceAccount", "roles/artifactregistry.reader"]);
  expect(named(recorded, "cluster-nodes").inputs).toMatchObject({
    nodeCount: 2,
    nodeConfig: {
      serviceAccount: "k8sfv-nodes@example.iam.gserviceaccount.com",
      workloadMetadataConfig: { mode: "GKE_METADATA" },
      shieldedInstanceConfig: { enableSecureBoot: true, enableIntegrityMonitoring: true },
    },
  });
});

test("cluster: has no IP endpoint with the DNS endpoint, and its kubeconfig has no CA", async () => {
  const cluster = await makeCluster();
  const config = parse(await valueOf(cluster.kubeconfig)) as { clusters: { cluster: object }[] };
  expect(config.clusters[0]?.cluster).toEqual({ server: "https://gke-abc.us-central1.gke.goog" });
  await settled(recorded);
  expect(named(recorded, "cluster-gke").inputs.controlPlaneEndpointsConfig).toEqual({
    dnsEndpointConfig: { allowExternalTraffic: true },
    ipEndpointsConfig: { enabled: false },
  });
  expect(named(recorded, "cluster-gke").inputs.privateClusterConfig).toEqual({
    enablePrivateNodes: true,
    enablePrivateEndpoint: true,
  });
});

test("cluster: admits only authorized networks to the IP endpoint", async () => {
  const cluster = await makeCluster({ endpoint: "ip", authorizedNetworks: ["203.0.113.0/24"] });
  const config = parse(await valueOf(cluster.kubeconfig)) as {
    clusters: { cluster: object }[];
    users: { user: { exec: { command: string } } }[];
  };
  expect(config.clusters[0]?.cluster).toEqual({
    server: "https://203.0.113.7",
    "certificate-authority-data": "Q0EK",
  });
  expect(config.users[0]?.user.exec.command).toBe("gke-gcloud-auth-plugin");
  await settled(recorded);
  expect(named(recorded, "cluster-gke").inputs.masterAuthorizedNetworksConfig).toEqual({
    cidrBlocks: [{ cidrBlock: "203.0.113.0/24" }],
    gcpPublicCidrsAccessEnabled: false,
  });
  expect(named(recorded, "cluster-gke").inputs.privateClusterConfig).toMatchObject({
    enablePrivateEndpoint: false,
    masterIpv4CidrBlock: "10.250.16.0/28",
  });
});

test("cluster: is identified by project, zone and name", async () => {
  const cluster = await makeCluster();
  expect(cluster.identifier).toBe("calico-test/us-central1-b/k8sfv");
  await settled(recorded);
});

test("cluster: depends on its nodes' roles and the peerings, and ignores settings of the removed node pool", async () => {
  const options: pulumi.CustomResourceOptions[] = [];
  vi.doMock("@pulumi/gcp/container/cluster.js", () => ({
    Cluster: function (this: object, _name: string, _args: object, opts: pulumi.CustomResourceOptions) {
      options.push(opts);
      Object.assign(this, { name: "k8sfv", endpoint: "203.0.113.7" });
      Object.assign(this, { masterAuth: { clusterCaCertificate: "Q0EK" }, controlPlaneEndpointsConfig: {} });
    },
  }));
  vi.resetModules();
  onTestFinished(() => {
    vi.doUnmock("@pulumi/gcp/container/cluster.js");
    vi.resetModules();
  });
  const network = await makeNetwork({ peers: ["default"] });
  await makeCluster({ network, endpoint: "ip" });
  await settled(recorded);
  const [{ dependsOn, ignoreChanges } = {}] = options;
  const urns = (dependsOn as pulumi.Resource[]).map(({ urn }) => valueOf(urn));
  expect((await Promise.all(urns)).map((urn) => urn.split("::").at(-1))).toEqual([
    "cluster-node-role-node",
    "cluster-node-role-images",
    "network-peering-to-default",
    "network-peering-from-default",
  ]);
  expect(ignoreChanges).toEqual(["nodeConfig"]);
});
