import { expect, test } from "vitest";
import type { Values } from "../plugin/values.ts";
import { change, cloudWithNetwork, fitting, make } from "./testing.ts";

/** A maintenance window that is right. */
const weekly = {
  startTime: "2026-01-03T03:00:00Z",
  endTime: "2026-01-03T07:00:00Z",
  recurrence: "FREQ=WEEKLY;BYDAY=SA",
};

/** Makes a cluster with these arguments beside those that fit. */
async function cluster(inputs: Values) {
  const { cloud } = await cloudWithNetwork();
  return make(cloud, "Cluster", { ...fitting.cluster, ...inputs });
}

test.each([
  [
    "Dataplane V2 with Calico",
    { datapathProvider: "ADVANCED_DATAPATH", networkPolicy: { enabled: true, provider: "CALICO" } },
    "Enabling NetworkPolicy for clusters with DatapathProvider=ADVANCED_DATAPATH is not allowed.",
  ],
  [
    "Dataplane V2 with Calico's addon",
    {
      datapathProvider: "ADVANCED_DATAPATH",
      addonsConfig: { networkPolicyConfig: { disabled: false } },
    },
    "Enabling NetworkPolicy for clusters with DatapathProvider=ADVANCED_DATAPATH is not allowed.",
  ],
  [
    "Calico without its addon",
    { networkPolicy: { enabled: true }, addonsConfig: { networkPolicyConfig: { disabled: true } } },
    "The network policy addon must be enabled",
  ],
  [
    "another provider of network policies",
    { networkPolicy: { enabled: true, provider: "CILIUM" } },
    'expected network_policy.0.provider to be one of ["PROVIDER_UNSPECIFIED" "CALICO"], got CILIUM',
  ],
  [
    "a mode of anonymous access that is none",
    { anonymousAuthenticationConfig: { mode: "OFF" } },
    'expected anonymous_authentication_config.0.mode to be one of ["ENABLED" "LIMITED"], got OFF',
  ],
  [
    "a control plane in the nodes' range",
    { privateClusterConfig: { masterIpv4CidrBlock: "10.248.8.0/28" } },
    "Invalid IPCidrRange: 10.248.8.0/28 conflicts with existing subnetwork 'k8sfv' in region 'us-central1'.",
  ],
  [
    "a control plane in the pods' range",
    { privateClusterConfig: { masterIpv4CidrBlock: "10.252.9.0/28" } },
    "Invalid IPCidrRange: 10.252.9.0/28 conflicts with existing subnetwork 'k8sfv' in region 'us-central1'.",
  ],
  [
    "a control plane of another size",
    { privateClusterConfig: { masterIpv4CidrBlock: "10.250.16.0/27" } },
    "between 28 and 28 significant bits, got: 10.250.16.0/27",
  ],
  [
    "a control plane with a range and a subnetwork",
    {
      privateClusterConfig: {
        masterIpv4CidrBlock: "10.250.16.0/28",
        privateEndpointSubnetwork: "k8sfv",
      },
    },
    "When masterIpv4Cidr is set, privateEndpointSubnetwork must be unset.",
  ],
  [
    "a private endpoint for everybody",
    { privateClusterConfig: { enablePrivateEndpoint: true } },
    "Master authorized networks must be enabled if private endpoint is enabled.",
  ],
  [
    "a private endpoint for public addresses",
    {
      privateClusterConfig: { enablePrivateEndpoint: true },
      masterAuthorizedNetworksConfig: { cidrBlocks: [{ cidrBlock: "203.0.113.0/24" }] },
    },
    'Invalid master authorized networks: network "203.0.113.0/24" is not a reserved network',
  ],
  [
    "authorized networks of an address that is off",
    {
      controlPlaneEndpointsConfig: {
        dnsEndpointConfig: { allowExternalTraffic: true },
        ipEndpointsConfig: { enabled: false },
      },
      masterAuthorizedNetworksConfig: { cidrBlocks: [] },
    },
    "when the IP endpoints are disabled",
  ],
  [
    "no way in at all",
    { controlPlaneEndpointsConfig: { ipEndpointsConfig: { enabled: false } } },
    "At least one endpoint",
  ],
  [
    "a range by name beside one by CIDR",
    {
      ipAllocationPolicy: {
        clusterSecondaryRangeName: "pods",
        servicesIpv4CidrBlock: "10.251.0.0/20",
      },
    },
    '"ip_allocation_policy.0.services_ipv4_cidr_block": conflicts with ip_allocation_policy.0.cluster_secondary_range_name',
  ],
  [
    "one range for pods and Services",
    {
      ipAllocationPolicy: { clusterSecondaryRangeName: "pods", servicesSecondaryRangeName: "pods" },
    },
    "Pod secondary range name (pods) should not be the same as service secondary range name.",
  ],
  [
    "a range that is not there",
    {
      ipAllocationPolicy: { clusterSecondaryRangeName: "absent", servicesSecondaryRangeName: "services" },
    },
    'Pod secondary range "absent" not found in network "https://www.googleapis.com/compute/v1/projects/calico-test/global/networks/k8sfv", subnetwork "k8sfv".',
  ],
  [
    "a daily and a recurring maintenance window",
    { maintenancePolicy: { dailyMaintenanceWindow: { startTime: "03:00" }, recurringWindow: weekly } },
    "only one of `maintenance_policy.0.daily_maintenance_window,maintenance_policy.0.recurring_window` can be specified",
  ],
  [
    "a maintenance window that starts at no time",
    { maintenancePolicy: { recurringWindow: { ...weekly, startTime: "at night" } } },
    'parsing time "at night" as "2006-01-02T15:04:05Z07:00"',
  ],
  [
    "kubelets whose port without authentication is neither on nor off",
    { nodePoolDefaults: { nodeConfigDefaults: { insecureKubeletReadonlyPortEnabled: "false" } } },
    'insecure_kubelet_readonly_port_enabled to be one of ["FALSE" "TRUE"], got false',
  ],
  [
    "an Autopilot cluster, which the local cloud can't make",
    { enableAutopilot: true, removeDefaultNodePool: undefined },
    'The local cloud doesn\'t emulate the argument "enableAutopilot"',
  ],
  [
    "a subnetwork of another network",
    { network: "default" },
    'Subnetwork "projects/calico-test/regions/us-central1/subnetworks/k8sfv" is not valid for Network "default"., badRequest',
  ],
] as [string, Values, string][])("refuses %s", async (_what, inputs, words) => {
  await expect(cluster(inputs)).rejects.toThrow(words);
});

test("takes both ways to enforce policies and to reach the control plane", async () => {
  await cluster({
    datapathProvider: "LEGACY_DATAPATH",
    networkPolicy: { enabled: true, provider: "CALICO" },
    addonsConfig: { networkPolicyConfig: { disabled: false } },
    anonymousAuthenticationConfig: { mode: "LIMITED" },
    masterAuthorizedNetworksConfig: { cidrBlocks: [{ cidrBlock: "203.0.113.0/24" }] },
    maintenancePolicy: { recurringWindow: weekly },
    nodePoolDefaults: { nodeConfigDefaults: { insecureKubeletReadonlyPortEnabled: "FALSE" } },
    privateClusterConfig: { enablePrivateNodes: true, masterIpv4CidrBlock: "10.250.16.0/28" },
  });
  await cluster({
    datapathProvider: "ADVANCED_DATAPATH",
    controlPlaneEndpointsConfig: {
      dnsEndpointConfig: { allowExternalTraffic: true },
      ipEndpointsConfig: { enabled: false },
    },
  });
});

test("which changes of a cluster need a new one", async () => {
  const { cloud } = await cloudWithNetwork();
  const before = {
    ...fitting.cluster,
    datapathProvider: "LEGACY_DATAPATH",
    privateClusterConfig: { enablePrivateNodes: true, masterIpv4CidrBlock: "10.250.16.0/28" },
  };
  const made = await make(cloud, "Cluster", before);
  const replacing = async (inputs: Values) =>
    (await change(cloud, "Cluster", made, { ...before, ...inputs }, true)).replace;
  expect(await replacing({ datapathProvider: "ADVANCED_DATAPATH" })).toEqual(["datapathProvider"]);
  expect(await replacing({ defaultMaxPodsPerNode: 32 })).toEqual(["defaultMaxPodsPerNode"]);
  expect(await replacing({ initialNodeCount: 2 })).toEqual(["initialNodeCount"]);
  expect(
    await replacing({
      privateClusterConfig: { ...before.privateClusterConfig, masterIpv4CidrBlock: "10.250.17.0/28" },
    }),
  ).toEqual(["privateClusterConfig.masterIpv4CidrBlock"]);
  const ips = before.ipAllocationPolicy;
  expect(await replacing({ ipAllocationPolicy: { ...ips, clusterSecondaryRangeName: "other" } })).toEqual([
    "ipAllocationPolicy.clusterSecondaryRangeName",
  ]);
  for (const inPlace of [
    { ipAllocationPolicy: { ...ips, additionalPodRangesConfig: { podRangeNames: ["more"] } } },
    { privateClusterConfig: { ...before.privateClusterConfig, enablePrivateNodes: false } },
    { networkPolicy: { enabled: true, provider: "CALICO" } },
    { anonymousAuthenticationConfig: { mode: "LIMITED" } },
    { releaseChannel: { channel: "STABLE" } },
    { controlPlaneEndpointsConfig: { dnsEndpointConfig: { allowExternalTraffic: true } } },
    { enableL4IlbSubsetting: true },
    { workloadIdentityConfig: { workloadPool: "calico-test.svc.id.goog" } },
  ]) {
    expect(await replacing(inPlace), JSON.stringify(inPlace)).toEqual([]);
  }
});

test("a switch that is off is as one that is not given", async () => {
  const { cloud } = await cloudWithNetwork();
  await make(cloud, "Cluster", fitting.cluster);
  const pool = await make(cloud, "NodePool", fitting.pool);
  const to = (nodeConfig: Values) =>
    change(
      cloud,
      "NodePool",
      pool,
      { ...fitting.pool, nodeConfig: { ...fitting.pool.nodeConfig, ...nodeConfig } },
      true,
    );
  expect(await to({ spot: false })).toMatchObject({ changed: false });
  expect(await to({ spot: true })).toMatchObject({ replace: ["nodeConfig.spot"] });
  const shielded = { enableIntegrityMonitoring: false };
  expect(await to({ shieldedInstanceConfig: shielded })).toMatchObject({
    replace: ["nodeConfig.shieldedInstanceConfig"],
  });
  expect(await to({ diskSizeGb: 60, diskType: "pd-ssd", labels: { a: "b" } })).toMatchObject({ replace: [] });
});

test.each([
  [{ diskSizeGb: 9 }, "expected node_config.0.disk_size_gb to be at least (10), got 9"],
  [{ diskType: "floppy" }, "expected node_config.0.disk_type to be one of"],
  [{ machineType: "big" }, "Machine type with name 'big' does not exist"],
  [{ spot: true, preemptible: true }, "both spot and preemptible"],
  [{ workloadMetadataConfig: { mode: "OPEN" } }, '"GKE_METADATA"], got OPEN'],
  [{ kubeletConfig: { insecureKubeletReadonlyPortEnabled: "no" } }, 'one of ["FALSE" "TRUE"], got no'],
] as [Values, string][])("refuses nodes with %j", async (nodeConfig, words) => {
  const { cloud } = await cloudWithNetwork();
  await make(cloud, "Cluster", fitting.cluster);
  await expect(make(cloud, "NodePool", { ...fitting.pool, nodeConfig })).rejects.toThrow(words);
});

test("refuses a pool that makes less than no node at an upgrade", async () => {
  const { cloud } = await cloudWithNetwork();
  await make(cloud, "Cluster", fitting.cluster);
  await expect(
    make(cloud, "NodePool", { ...fitting.pool, upgradeSettings: { maxSurge: -1, maxUnavailable: 0 } }),
  ).rejects.toThrow("expected upgrade_settings.0.max_surge to be at least (0), got -1");
  await make(cloud, "NodePool", { ...fitting.pool, upgradeSettings: { maxSurge: 1, maxUnavailable: 0 } });
});
