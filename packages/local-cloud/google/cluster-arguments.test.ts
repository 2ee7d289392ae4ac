import { expect, test } from "vitest";
import type { Values } from "../plugin/values.ts";
import { change, cloudWithNetwork, fitting, make } from "./testing.ts";

/** A valid maintenance window. */
const weekly = {
  startTime: "2026-01-03T03:00:00Z",
  endTime: "2026-01-03T07:00:00Z",
  recurrence: "FREQ=WEEKLY;BYDAY=SA",
};

/** Creates a cluster with valid arguments and `inputs`, which replace valid ones of the same name. */
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
    "an unsupported network policy provider",
    { networkPolicy: { enabled: true, provider: "CILIUM" } },
    'expected network_policy.0.provider to be one of ["PROVIDER_UNSPECIFIED" "CALICO"], got CILIUM',
  ],
  [
    "an unknown mode of anonymous access",
    { anonymousAuthenticationConfig: { mode: "OFF" } },
    'expected anonymous_authentication_config.0.mode to be one of ["ENABLED" "LIMITED"], got OFF',
  ],
  [
    "a control plane range within the nodes' range",
    { privateClusterConfig: { masterIpv4CidrBlock: "10.248.8.0/28" } },
    "Invalid IPCidrRange: 10.248.8.0/28 conflicts with existing subnetwork 'k8sfv' in region 'us-central1'.",
  ],
  [
    "a control plane range within the pods' range",
    { privateClusterConfig: { masterIpv4CidrBlock: "10.252.9.0/28" } },
    "Invalid IPCidrRange: 10.252.9.0/28 conflicts with existing subnetwork 'k8sfv' in region 'us-central1'.",
  ],
  [
    "a control plane range of another size",
    { privateClusterConfig: { masterIpv4CidrBlock: "10.250.16.0/27" } },
    "between 28 and 28 significant bits, got: 10.250.16.0/27",
  ],
  [
    "a control plane with both a range and a subnetwork",
    {
      privateClusterConfig: {
        masterIpv4CidrBlock: "10.250.16.0/28",
        privateEndpointSubnetwork: "k8sfv",
      },
    },
    "When masterIpv4Cidr is set, privateEndpointSubnetwork must be unset.",
  ],
  [
    "a private endpoint without authorized networks",
    { privateClusterConfig: { enablePrivateEndpoint: true } },
    "Master authorized networks must be enabled if private endpoint is enabled.",
  ],
  [
    "a private endpoint with public authorized networks",
    {
      privateClusterConfig: { enablePrivateEndpoint: true },
      masterAuthorizedNetworksConfig: { cidrBlocks: [{ cidrBlock: "203.0.113.0/24" }] },
    },
    'Invalid master authorized networks: network "203.0.113.0/24" is not a reserved network',
  ],
  [
    "authorized networks with disabled IP endpoints",
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
    "no enabled endpoint",
    { controlPlaneEndpointsConfig: { ipEndpointsConfig: { enabled: false } } },
    "At least one endpoint",
  ],
  [
    "a secondary range both by name and by CIDR",
    {
      ipAllocationPolicy: {
        clusterSecondaryRangeName: "pods",
        servicesIpv4CidrBlock: "10.251.0.0/20",
      },
    },
    '"ip_allocation_policy.0.services_ipv4_cidr_block": conflicts with ip_allocation_policy.0.cluster_secondary_range_name',
  ],
  [
    "the same range for pods and Services",
    {
      ipAllocationPolicy: { clusterSecondaryRangeName: "pods", servicesSecondaryRangeName: "pods" },
    },
    "Pod secondary range name (pods) should not be the same as service secondary range name.",
  ],
  [
    "a missing secondary range",
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
    "a maintenance window with an invalid start time",
    { maintenancePolicy: { recurringWindow: { ...weekly, startTime: "at night" } } },
    'parsing time "at night" as "2006-01-02T15:04:05Z07:00"',
  ],
  [
    "an invalid value for the kubelet's read-only port",
    { nodePoolDefaults: { nodeConfigDefaults: { insecureKubeletReadonlyPortEnabled: "false" } } },
    'insecure_kubelet_readonly_port_enabled to be one of ["FALSE" "TRUE"], got false',
  ],
  [
    "an Autopilot cluster, which is not emulated",
    { enableAutopilot: true, removeDefaultNodePool: undefined },
    'The local cloud doesn\'t emulate the argument "enableAutopilot"',
  ],
  [
    "a regional cluster, which is not emulated",
    { location: "us-central1" },
    'set location to a zone, not "us-central1"',
  ],
  [
    "a subnetwork of another network",
    { network: "default" },
    'Subnetwork "projects/calico-test/regions/us-central1/subnetworks/k8sfv" is not valid for Network "default"., badRequest',
  ],
] as [string, Values, string][])("rejects %s", async (_what, inputs, words) => {
  await expect(cluster(inputs)).rejects.toThrow(words);
});

test("accepts both network policy providers and all control plane endpoints", async () => {
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

test("updates or replaces a cluster, depending on the changed argument", async () => {
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

test("treats a disabled option like an omitted one", async () => {
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
] as [Values, string][])("rejects the node configuration %j", async (nodeConfig, words) => {
  const { cloud } = await cloudWithNetwork();
  await make(cloud, "Cluster", fitting.cluster);
  await expect(make(cloud, "NodePool", { ...fitting.pool, nodeConfig })).rejects.toThrow(words);
});

test("rejects a node pool with a negative maxSurge", async () => {
  const { cloud } = await cloudWithNetwork();
  await make(cloud, "Cluster", fitting.cluster);
  await expect(
    make(cloud, "NodePool", { ...fitting.pool, upgradeSettings: { maxSurge: -1, maxUnavailable: 0 } }),
  ).rejects.toThrow("expected upgrade_settings.0.max_surge to be at least (0), got -1");
  await make(cloud, "NodePool", { ...fitting.pool, upgradeSettings: { maxSurge: 1, maxUnavailable: 0 } });
});
