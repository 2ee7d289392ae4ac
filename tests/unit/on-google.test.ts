import { expect, test, vi } from "vitest";
import { defaultAccountPath } from "../../local/google/default-account.ts";
import { made as paths, testCloud } from "../../local/google/testing.ts";
import { stackConfig } from "./mocks.ts";
import { destroyOnGoogle, differencesOnGoogle, runOnGoogle } from "./on-google.ts";

vi.mock("../../components/operator-crds.ts", () => ({ readCrds: () => Promise.resolve("CRDs") }));

// Each test runs the whole program, which takes seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

/** A stack's configuration, with changes to maps in it. */
function config(changes: Record<string, object> = {}): Record<string, string> {
  const all = { ...stackConfig("calico-test"), "k8sfv-metrics:grafana": '{"access":"direct"}' };
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

/** Google whose project has the CI machines' network in custom mode, as the README asks for. */
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
  "%s: Google takes all of it, a preview shows no difference, and it is destroyed wholly",
  async (_, changes) => {
    const cloud = await google();
    const cluster = { ...(changes as Partial<typeof byAddress>).cluster, deletionProtection: false };
    const run = await runOnGoogle(cloud, "calico-test", config({ ...changes, cluster }));
    expect(run.refused).toEqual([]);
    expect(run.made.map(({ name }) => name)).toContain("cluster-nodes");
    expect(differencesOnGoogle(cloud, run)).toEqual([]);
    await destroyOnGoogle(cloud, run);
    expect(paths(cloud)).toEqual([]);
  },
);

test("peerings wait for the subnetwork, and the cluster for them: Google changes routes one at a time", async () => {
  const cloud = await google();
  const { machines } = cloud;
  const start = machines.startNetwork.bind(machines);
  machines.startNetwork = async (network) => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    await start(network);
  };
  const { refused, made } = await runOnGoogle(cloud, "calico-test", config());
  expect(refused).toEqual([]);
  const order = made.map(({ name }) => name);
  const watched = [
    "network-subnetwork",
    "network-peering-to-default",
    "network-peering-from-default",
    "cluster-gke",
  ];
  expect(order.filter((name) => watched.includes(name))).toEqual(watched);
});

test("the cluster needs no Compute Engine default account, not even while GKE's default pool is there", async () => {
  const cloud = await google();
  await cloud.store.remove(defaultAccountPath("calico-test"));
  const { refused } = await runOnGoogle(cloud, "calico-test", config());
  expect(refused).toEqual([]);
});

test("Google Cloud's public addresses are not let in to the IP endpoint", async () => {
  const { made } = await runOnGoogle(await google(), "calico-test", config(byAddress));
  const gke = made.find(({ name }) => name === "cluster-gke");
  expect(gke?.state["masterAuthorizedNetworksConfig"]).toEqual({
    cidrBlocks: [{ cidrBlock: "203.0.113.0/24" }],
    gcpPublicCidrsAccessEnabled: false,
  });
});
