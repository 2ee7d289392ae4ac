import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test, vi } from "vitest";
import { defaultAccountPath, made as paths, testCloud } from "k8sfv-local-cloud/testing";
import { resourceId } from "../../tools/resource-ids.ts";
import { EXAMPLE, stackConfig } from "./mocks.ts";
import { destroyOnGoogle, differencesOnGoogle, runOnGoogle } from "./on-google.ts";

vi.mock("../../components/operator-crds.ts", () => ({
  CRD_FILES: {},
  SCRAPE_CONFIG_CRD_FILES: {},
  readCrds: () => Promise.resolve("CRDs"),
}));

// Each test runs the whole program, which takes seconds on a busy computer.
vi.setConfig({ testTimeout: 60_000 });

/**
 * Returns the example stack's configuration, with direct access to Grafana. The keys of `changes` are configuration
 * keys; the fields of each value replace those in the example.
 */
function config(changes: Record<string, object> = {}): Record<string, string> {
  const all = { ...stackConfig(EXAMPLE), "k8sfv-metrics:grafana": '{"access":"direct"}' };
  for (const [key, change] of Object.entries(changes)) {
    const name = `k8sfv-metrics:${key}` as keyof typeof all;
    const before = JSON.parse((all as Record<string, string>)[name] ?? "{}") as object;
    all[name] = JSON.stringify({ ...before, ...change });
  }
  return all;
}

const byAddress = {
  cluster: { endpoint: "ip", authorizedNetworks: ["203.0.113.0/24"] },
  network: { controlPlaneCidr: "10.250.16.0/28" },
};

/**
 * Returns an emulated Google Cloud whose project has the CI machines' VPC in custom mode, as docs/deploy.md
 * requires.
 */
async function google() {
  const cloud = testCloud();
  await cloud.store.change((data) => {
    const network = data.resources["projects/calico-test/global/networks/default"];
    if (network !== undefined) network.inputs["autoCreateSubnetworks"] = false;
  });
  return cloud;
}

test.each([
  ["dns", {}],
  ["ip", byAddress],
])(
  "with the endpoint %s, creates all Google resources, shows no difference in a preview, and destroys everything",
  async (_, changes) => {
    const cloud = await google();
    const cluster = { ...(changes as Partial<typeof byAddress>).cluster, deletionProtection: false };
    const run = await runOnGoogle(cloud, "calico-test", config({ ...changes, cluster }));
    expect(run.refused).toEqual([]);
    expect(run.created.map(({ name }) => name)).toContain("cluster-nodes");
    expect(differencesOnGoogle(cloud, run)).toEqual([]);
    await destroyOnGoogle(cloud, run);
    expect(paths(cloud)).toEqual([]);
  },
);

test("creates the subnetwork, then the peerings and then the cluster, because Google rejects concurrent changes of routes", async () => {
  const cloud = await google();
  const { machines } = cloud;
  const start = machines.startNetwork.bind(machines);
  machines.startNetwork = async (network) => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    await start(network);
  };
  const { refused, created } = await runOnGoogle(cloud, "calico-test", config());
  expect(refused).toEqual([]);
  const order = created.map(({ name }) => name);
  const watched = [
    "network-subnetwork",
    "network-peering-to-default",
    "network-peering-from-default",
    "cluster-gke",
  ];
  expect(order.filter((name) => watched.includes(name))).toEqual(watched);
});

test("never uses the Compute Engine default service account, not even in GKE's default node pool", async () => {
  const cloud = await google();
  await cloud.store.remove(defaultAccountPath("calico-test"));
  const { refused } = await runOnGoogle(cloud, "calico-test", config());
  expect(refused).toEqual([]);
});

test("does not admit Google Cloud's public addresses to the IP endpoint", async () => {
  const { created } = await runOnGoogle(await google(), "calico-test", config(byAddress));
  const gke = created.find(({ name }) => name === "cluster-gke");
  expect(gke?.state["masterAuthorizedNetworksConfig"]).toEqual({
    cidrBlocks: [{ cidrBlock: "203.0.113.0/24" }],
    gcpPublicCidrsAccessEnabled: false,
  });
});

/**
 * Configuration of another stack in the same project, as `npm run new-stack` creates it: another prefix and
 * other ranges.
 */
const staging = {
  cluster: { name: "staging", deletionProtection: false },
  network: {
    name: undefined,
    primaryCidr: "10.120.0.0/20",
    podCidr: "10.121.0.0/16",
    serviceCidr: "10.122.0.0/20",
  },
  addresses: { pushGateway: "10.120.1.4", prometheus: "10.120.1.6", grafana: "10.120.1.7" },
};

test("two stacks in one project label all resources that support labels, and each can be destroyed without the other", async () => {
  const cloud = await google();
  const own = { cluster: { deletionProtection: false } };
  const first = await runOnGoogle(cloud, "calico-test", config(own));
  const before = paths(cloud);
  const second = await runOnGoogle(cloud, "staging", config(staging));
  expect([...first.refused, ...second.refused]).toEqual([]);
  for (const [stack, { created }] of [
    ["calico-test", first],
    ["staging", second],
  ] as const) {
    const labelled = created.filter(({ state }) => state["effectiveLabels"] !== undefined);
    expect(labelled).toHaveLength(8);
    for (const { name, state } of labelled) {
      expect(state["effectiveLabels"], name).toMatchObject({
        "pulumi-stack": stack,
        "part-of": "k8sfv-metrics",
      });
    }
  }
  await destroyOnGoogle(cloud, second);
  expect(paths(cloud)).toEqual(before);
  await runOnGoogle(cloud, "staging", config(staging));
  const staged = paths(cloud).filter((one) => !before.includes(one));
  await destroyOnGoogle(cloud, first);
  expect(paths(cloud)).toEqual(staged);
});

test("returns resource IDs that the Google provider imports", async () => {
  const cloud = await google();
  const { created } = await runOnGoogle(cloud, "calico-test", config());
  const at = { project: "calico-test", region: "us-central1", zone: "us-central1-b" };
  const sought = created.filter(({ type }) => !type.endsWith(":Service"));
  expect(sought.length).toBeGreaterThan(20);
  for (const { type, name, id, inputs } of sought) {
    const importId = resourceId(type, inputs, at) ?? "";
    const found = await cloud.provider.read({ type, name, id: importId, inputs: {}, state: {} });
    expect(found, name).toMatchObject({ id });
  }
});

test("waits until newly enabled APIs accept requests", async () => {
  const cloud = testCloud([]);
  writeFileSync(path.join(cloud.dir, "faults.json"), JSON.stringify({ apiDelaySeconds: 1 }));
  const { refused, created } = await runOnGoogle(cloud, "calico-test", config({ network: { peers: [] } }));
  expect(refused).toEqual([]);
  expect(created.map(({ name }) => name)).toContain("cluster-nodes");
});

test("reports an API that accepts no requests, with Google's error message", async () => {
  const { waitUntilEnabled } = await import("../../components/api-readiness.ts");
  const refusal =
    "googleapi: Error 403: Compute Engine API has not been used in project, accessNotConfigured";
  const never = () => Promise.reject(new Error(refusal));
  await expect(waitUntilEnabled("compute.googleapis.com", never, 500)).rejects.toThrow(
    `compute.googleapis.com is enabled but still rejects requests after 0 minutes: Error: ${refusal}`,
  );
  await waitUntilEnabled("compute.googleapis.com", () => Promise.reject(new Error("403: forbidden")));
});

test("a change to Spot nodes creates the new node pool before the old one is drained and deleted", async () => {
  const pools = [];
  for (const spot of [false, true]) {
    const { created } = await runOnGoogle(
      await google(),
      "calico-test",
      config({ cluster: { spot, acceptInterruptions: true } }),
    );
    pools.push(created.find(({ name }) => name === "cluster-nodes"));
  }
  const [before, after] = pools;
  if (before === undefined || after === undefined) throw new Error("no node pool was created");
  const { type, name, id, state } = before;
  const { provider } = await google();
  const diff = provider.diff({ type, name, id, state, before: before.inputs, inputs: after.inputs });
  expect(diff.changes.filter(({ replace }) => replace).map((change) => change.path)).toContain(
    "nodeConfig.spot",
  );
  expect(diff.deleteBeforeReplace).toBe(false);
});
