import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { PartialCreateError } from "../plugin/plugin.ts";
import { cloudWithNetwork, fitting, made, make, testCloud, type TestCloud } from "./testing.ts";

function faulty(cloud: TestCloud, rule: object): void {
  writeFileSync(path.join(cloud.dir, "faults.json"), JSON.stringify({ rules: [rule] }));
}

test("injects a quota error once, without creating anything", async () => {
  const cloud = testCloud();
  faulty(cloud, { type: "compute.Network", operation: "create", fault: "quota" });
  await expect(make(cloud, "Network", fitting.network)).rejects.toThrow("Error 403: Quota exceeded");
  expect(made(cloud)).toEqual([]);
  await make(cloud, "Network", fitting.network);
});

test("rejects an operation with the name of the missing permission", async () => {
  const cloud = testCloud();
  faulty(cloud, { fault: "permission" });
  await expect(make(cloud, "Network", fitting.network)).rejects.toThrow(
    "Required 'compute.networks.create' permission",
  );
});

test("creates a resource in spite of an injected timeout", async () => {
  const cloud = testCloud();
  faulty(cloud, { type: "compute.Network", fault: "timeout", times: 2 });
  await expect(make(cloud, "Network", fitting.network)).rejects.toThrow("timeout while waiting");
  await expect(make(cloud, "Network", fitting.network)).rejects.toThrow("alreadyExists");
});

test("returns a cluster's state with the timeout's error, and no error for a node pool", async () => {
  const { cloud } = await cloudWithNetwork();
  faulty(cloud, { fault: "timeout", times: 2 });
  const failure = await make(cloud, "Cluster", fitting.cluster).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(PartialCreateError);
  const { made: known, message } = failure as PartialCreateError;
  expect(message).toContain("timeout while waiting for state to become 'DONE'");
  expect(known.id).toBe("projects/calico-test/locations/us-central1-f/clusters/k8sfv");
  expect(known.state).toMatchObject({ name: "k8sfv", endpoint: "127.0.0.1:6443" });
  const pool = await make(cloud, "NodePool", fitting.pool);
  expect(pool.state["nodeCount"]).toBe(2);
});

test("delays an operation for the duration in a rule", async () => {
  const cloud = testCloud();
  faulty(cloud, { type: "compute.Network", operation: "create", seconds: 0.2 });
  const start = performance.now();
  await make(cloud, "Network", fitting.network);
  expect(performance.now() - start).toBeGreaterThan(190);
});

test("removes a resource whose host fails to start", async () => {
  const cloud = testCloud();
  await make(cloud, "Network", fitting.network);
  const { machines } = cloud;
  const start = machines.startNetwork.bind(machines);
  machines.startNetwork = () => Promise.reject(new Error("no bridge"));
  await expect(make(cloud, "Subnetwork", fitting.subnetwork)).rejects.toThrow(
    "Error creating Subnetwork: no bridge",
  );
  machines.startNetwork = start;
  await make(cloud, "Subnetwork", fitting.subnetwork);
});
