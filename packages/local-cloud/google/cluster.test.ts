import { existsSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { isKnown, map, UNKNOWN } from "../plugin/values.ts";
import { localLimits } from "./local-infrastructure.ts";
import { change, cloudWithNetwork, drop, fitting, made, make, testCloud, tokens } from "./testing.ts";

async function cloudWithCluster() {
  const { cloud } = await cloudWithNetwork();
  const cluster = await make(cloud, "Cluster", fitting.cluster);
  const pool = await make(cloud, "NodePool", fitting.pool);
  return { cloud, cluster, pool };
}

test("starts a control plane for a cluster and nodes for a node pool", async () => {
  const { cloud, cluster, pool } = await cloudWithCluster();
  expect(cluster.id).toBe("projects/calico-test/locations/us-central1-f/clusters/k8sfv");
  expect(cluster.state).toMatchObject({ endpoint: "127.0.0.1:6443", location: "us-central1-f" });
  expect(map(cluster.state, "masterAuth")["clusterCaCertificate"]).toBe("Q0E=");
  expect(pool.id).toBe(`${cluster.id}/nodePools/nodes`);
  expect(cloud.calls.slice(1)).toEqual([
    "startCluster k8sfv 10.248.0.2 10.252.0.0/16 10.249.0.0/20",
    "startNode 10.248.0.3 10.252.0.0/24",
    "startNode 10.248.0.4 10.252.1.0/24",
  ]);
});

test("resizes a node pool and keeps the addresses of remaining nodes", async () => {
  const { cloud, pool } = await cloudWithCluster();
  const three = await change(cloud, "NodePool", pool, { ...fitting.pool, nodeCount: 3 });
  expect(cloud.calls.at(-1)).toBe("startNode 10.248.0.5 10.252.2.0/24");
  const one = await change(cloud, "NodePool", three, { ...fitting.pool, nodeCount: 1 });
  expect(cloud.calls.slice(-3)).toEqual([
    "startNode 10.248.0.3 10.252.0.0/24",
    "stopNode drained",
    "stopNode drained",
  ]);
  expect(one.state["nodeCount"]).toBe(1);
  await change(cloud, "NodePool", one, { ...fitting.pool, nodeCount: 2 });
  expect(cloud.calls.at(-1)).toBe("startNode 10.248.0.4 10.252.1.0/24");
});

test("deletes a cluster with its node pools, unless it is protected", async () => {
  const { cloud, cluster } = await cloudWithCluster();
  const kept = await change(cloud, "Cluster", cluster, { ...fitting.cluster, deletionProtection: true });
  await expect(drop(cloud, "Cluster", kept)).rejects.toThrow(
    "Cannot destroy cluster because deletion_protection is set to true. Set it to false to proceed with cluster deletion.",
  );
  const free = await change(cloud, "Cluster", kept, fitting.cluster);
  await drop(cloud, "Cluster", free);
  expect(cloud.calls.slice(-3)).toEqual(["stopNode at once", "stopNode at once", "stopCluster"]);
  expect(made(cloud)).toHaveLength(2);
});

test("rejects contradictory and unsupported arguments", async () => {
  const { cloud } = await cloudWithCluster();
  const cluster = (inputs: object) =>
    make(cloud, "Cluster", { ...fitting.cluster, name: "other", ...inputs });
  await expect(
    cluster({ datapathProvider: "ADVANCED_DATAPATH", networkPolicy: { enabled: true } }),
  ).rejects.toThrow(
    "Enabling NetworkPolicy for clusters with DatapathProvider=ADVANCED_DATAPATH is not allowed.",
  );
  await expect(cluster({ name: "Upper" })).rejects.toThrow("can only contain lowercase letters");
  await expect(cluster({ removeDefaultNodePool: false })).rejects.toThrow("container.NodePool only");
  await expect(make(cloud, "NodePool", { ...fitting.pool, name: "p", initialNodeCount: 1 })).rejects.toThrow(
    "Cannot set both initial_node_count and node_count",
  );
  await expect(make(cloud, "NodePool", { ...fitting.pool, name: "p", nodeCount: 300 })).rejects.toThrow(
    "Insufficient free IP addresses",
  );
});

test("updates or replaces clusters and node pools, depending on the changed argument", async () => {
  const { cloud, cluster, pool } = await cloudWithCluster();
  const to = (inputs: object) => change(cloud, "Cluster", cluster, { ...fitting.cluster, ...inputs });
  expect((await to({ datapathProvider: "ADVANCED_DATAPATH" })).replace).toEqual(["datapathProvider"]);
  expect((await to({ resourceLabels: { a: "b" } })).replace).toEqual([]);
  const auth = { clientCertificateConfig: { issueClientCertificate: true } };
  expect((await to({ masterAuth: auth })).replace).toHaveLength(1);
  const pooled = (nodeConfig: object) =>
    change(cloud, "NodePool", pool, {
      ...fitting.pool,
      nodeConfig: { ...fitting.pool.nodeConfig, ...nodeConfig },
    });
  expect((await pooled({ machineType: "e2-standard-4" })).replace).toEqual([]);
  expect((await pooled({ spot: true })).replace).toEqual(["nodeConfig.spot"]);
});

test("returns in a preview the outputs that are already known, and those that an update keeps", async () => {
  const cloud = testCloud();
  const planned = await make(cloud, "Cluster", { ...fitting.cluster, subnetwork: UNKNOWN }, true);
  expect(planned.id).toBe("");
  expect(isKnown(planned.state["endpoint"])).toBe(false);
  expect(isKnown(map(planned.state, "masterAuth")["clusterCaCertificate"])).toBe(false);
  expect(planned.state["name"]).toBe("k8sfv");

  const { cloud: other, cluster } = await cloudWithCluster();
  const auth = {
    masterAuth: { clientCertificateConfig: { issueClientCertificate: false } },
    resourceLabels: { a: "b" },
  };
  const updated = await change(other, "Cluster", cluster, { ...fitting.cluster, ...auth }, true);
  expect(map(updated.state, "masterAuth")["clusterCaCertificate"]).toBe("Q0E=");
});

test("keeps a disk's directory after the cluster's deletion", async () => {
  const { cloud, cluster } = await cloudWithCluster();
  const disk = await make(cloud, "Disk", { name: "prometheus", size: 50 });
  expect(disk.id).toBe("projects/calico-test/zones/us-central1-f/disks/prometheus");
  await drop(cloud, "Cluster", cluster);
  const folder = path.join(cloud.dir, "disks/us-central1-f/prometheus");
  expect(existsSync(folder)).toBe(true);
  expect((await change(cloud, "Disk", disk, { name: "prometheus", size: 40 })).replace).toEqual(["size"]);
  expect((await change(cloud, "Disk", disk, { name: "prometheus", size: 60 })).state["size"]).toBe(60);
  await drop(cloud, "Disk", disk);
  expect(existsSync(folder)).toBe(false);
});

test("keeps an auto-generated name", async () => {
  const { cloud } = await cloudWithNetwork();
  const disk = await make(cloud, "Disk", { size: 50 });
  expect(disk.state["name"]).toMatch(/^one-[0-9a-f]{7}$/);
  const larger = await change(cloud, "Disk", disk, { size: 60 });
  expect(larger.state["name"]).toBe(disk.state["name"]);
  expect((await change(cloud, "Disk", larger, { size: 50 })).deleteBeforeReplace).toBe(false);
});

test("rejects a role for a missing service account", async () => {
  const cloud = testCloud();
  const email = "k8sfv-nodes@calico-test.iam.gserviceaccount.com";
  const role = {
    project: "calico-test",
    role: "roles/artifactregistry.reader",
    member: `serviceAccount:${email}`,
  };
  await expect(make(cloud, "IAMMember", role)).rejects.toThrow(`Service account ${email} does not exist.`);
  const account = await make(cloud, "Account", { accountId: "k8sfv-nodes" });
  expect(account.state).toMatchObject({ email, member: role.member });
  await make(cloud, "IAMMember", role);
  // Creating the same role again succeeds. Creating the account again fails with 409, unless it is imported.
  await make(cloud, "IAMMember", role);
  await expect(make(cloud, "Account", { accountId: "k8sfv-nodes" })).rejects.toThrow("Error 409");
  const again = { accountId: "k8sfv-nodes", createIgnoreAlreadyExists: true };
  expect((await make(cloud, "Account", again)).state["uniqueId"]).toBe(account.state["uniqueId"]);
});

test("reports an unknown type or function by its name", async () => {
  const { provider } = testCloud();
  const type = "gcp:compute/instance:Instance";
  expect(() =>
    provider.check({ type, name: "i", before: undefined, inputs: {}, seed: new Uint8Array() }),
  ).toThrow(type);
  await expect(provider.invoke("gcp:compute/getZones:getZones", {})).rejects.toThrow("getZones");
});

test("completes an interrupted creation of a cluster when it is read", async () => {
  const { cloud, cluster } = await cloudWithCluster();
  await cloud.store.change((data) => {
    for (const resource of Object.values(data.resources)) resource.status = "making";
  });
  cloud.calls.length = 0;
  const read = { type: tokens.Cluster, name: "one", id: cluster.id, inputs: {}, state: {} };
  const found = await cloud.provider.read(read);
  expect(found?.state["endpoint"]).toBe("127.0.0.1:6443");
  expect(cloud.calls).toEqual(["startCluster k8sfv 10.248.0.2 10.252.0.0/16 10.249.0.0/20"]);
  expect(
    await cloud.provider.read({ ...read, id: "projects/calico-test/locations/z/clusters/none" }),
  ).toBeUndefined();
});

test("limits a local cloud to one subnetwork and one cluster, but not the emulation itself", async () => {
  const other = { ...fitting.subnetwork, name: "other", ipCidrRange: "10.20.0.0/20", secondaryIpRanges: [] };
  for (const limits of [localLimits, {}]) {
    const cloud = testCloud(undefined, limits);
    await make(cloud, "Network", fitting.network);
    await make(cloud, "Subnetwork", fitting.subnetwork);
    await make(cloud, "Cluster", fitting.cluster);
    const more = [
      () => make(cloud, "Subnetwork", other),
      () => make(cloud, "Cluster", { ...fitting.cluster, name: "other" }),
    ];
    for (const one of more) {
      if (limits === localLimits) await expect(one()).rejects.toThrow("The local cloud supports 1");
      else await one();
    }
  }
});

test("replaces all nodes of a pool after a change of machine type, disk or image, and starts the new nodes first", async () => {
  const { cloud, pool } = await cloudWithCluster();
  for (const nodeConfig of [
    { machineType: "e2-standard-4" },
    { machineType: "e2-standard-4", diskSizeGb: 50 },
  ]) {
    cloud.calls.length = 0;
    const { replace } = await change(cloud, "NodePool", pool, { ...fitting.pool, nodeConfig });
    expect(replace).toEqual([]);
    expect(cloud.calls.map((call) => call.split(" ")[0])).toEqual([
      "startNode",
      "startNode",
      "stopNode",
      "stopNode",
    ]);
  }
});

test("imports a role by project, role and member with spaces between them, as the real importer does", async () => {
  const cloud = testCloud();
  const role = { project: "calico-test", role: "roles/viewer", member: "user:a@example.org" };
  const { id } = await make(cloud, "IAMMember", role);
  const read = (sought: string) =>
    cloud.provider.read({ type: tokens.IAMMember, name: "one", id: sought, inputs: {}, state: {} });
  expect(await read("calico-test roles/viewer user:a@example.org")).toMatchObject({ id, inputs: role });
  await expect(read("calico-test/roles/viewer/user:a@example.org")).rejects.toThrow(
    "Wrong number of parts to Member id",
  );
});

test("sets enablePrivateEndpoint to true in a cluster without an IP endpoint; another argument is a difference in each preview", async () => {
  const { cloud } = await cloudWithNetwork();
  const inputs = {
    ...fitting.cluster,
    controlPlaneEndpointsConfig: {
      dnsEndpointConfig: { allowExternalTraffic: true },
      ipEndpointsConfig: { enabled: false },
    },
    privateClusterConfig: { enablePrivateNodes: true, enablePrivateEndpoint: false },
  };
  const cluster = await make(cloud, "Cluster", inputs);
  expect(map(cluster.state, "privateClusterConfig")["enablePrivateEndpoint"]).toBe(true);
  for (let update = 0; update < 2; update++) {
    expect(await change(cloud, "Cluster", cluster, inputs)).toMatchObject({ changed: true, replace: [] });
  }
});
