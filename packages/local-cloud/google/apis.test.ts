import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { change, drop, fitting, made, make, testCloud, tokens } from "./testing.ts";

const enable = (name: string) => ({ service: `${name}.googleapis.com` });

test("rejects the creation of resources of a disabled API with Google's message", async () => {
  const cloud = testCloud([]);
  const refused = (name: string, title: string) =>
    `googleapi: Error 403: ${title} has not been used in project calico-test before or it is disabled. ` +
    `Enable it by visiting https://console.developers.google.com/apis/api/${name}.googleapis.com/overview?project=calico-test then retry.`;
  const network = make(cloud, "Network", fitting.network);
  await expect(network).rejects.toThrow(refused("compute", "Compute Engine API"));
  await expect(network).rejects.toThrow(/"reason": "SERVICE_DISABLED"[^]*, accessNotConfigured$/);
  const account = make(cloud, "Account", { accountId: "k8sfv-nodes" });
  await expect(account).rejects.toThrow(refused("iam", "Identity and Access Management (IAM) API"));
  const role = { project: "calico-test", role: "roles/viewer", member: "user:a@example.org" };
  await expect(make(cloud, "IAMMember", role)).rejects.toThrow(
    refused("cloudresourcemanager", "Cloud Resource Manager API"),
  );
  await make(cloud, "Service", enable("compute"));
  await make(cloud, "Network", fitting.network);
  await make(cloud, "Subnetwork", fitting.subnetwork);
  await expect(make(cloud, "Cluster", fitting.cluster)).rejects.toThrow(
    refused("container", "Kubernetes Engine API"),
  );
});

test("requires the API for reads and deletions too", async () => {
  const cloud = testCloud(["compute.googleapis.com"]);
  const network = await make(cloud, "Network", fitting.network);
  const off = { ...enable("compute"), disableOnDestroy: true };
  await drop(cloud, "Service", await make(cloud, "Service", off));
  const subject = { type: tokens.Network, name: "one", id: network.id, inputs: {}, state: {} };
  await expect(cloud.provider.read(subject)).rejects.toThrow("Compute Engine API has not been used");
  const absent = { ...subject, id: network.id.replace("k8sfv", "absent") };
  await expect(cloud.provider.read(absent)).rejects.toThrow("Compute Engine API has not been used");
  await expect(drop(cloud, "Network", network)).rejects.toThrow("Compute Engine API has not been used");
  expect(made(cloud)).toEqual([network.id]);
});

test("enables Compute Engine with Kubernetes Engine, and creates the default network", async () => {
  const cloud = testCloud([]);
  await make(cloud, "Service", enable("container"));
  await make(cloud, "Network", fitting.network);
  expect(Object.keys(cloud.store.read().resources)).toContain("projects/calico-test/global/networks/default");
});

test("imports an enabled API and keeps it enabled after the resource's deletion", async () => {
  const cloud = testCloud(["compute.googleapis.com"]);
  const service = await make(cloud, "Service", enable("compute"));
  expect(service.id).toBe("calico-test/compute.googleapis.com");
  await drop(cloud, "Service", service);
  await make(cloud, "Network", fitting.network);
});

test("requires disableDependentServices to disable an API on which enabled APIs depend", async () => {
  const cloud = testCloud();
  const off = { ...enable("compute"), disableOnDestroy: true };
  const service = await make(cloud, "Service", off);
  await expect(drop(cloud, "Service", service)).rejects.toThrow(
    'Error disabling service "compute.googleapis.com" for project "calico-test": googleapi: Error 400: ' +
      "The service compute.googleapis.com is depended on by the following active service(s): container.googleapis.com; " +
      "Please specify disable_dependent_services=true if you want to proceed with disabling all services., failedPrecondition",
  );
  const all = await change(cloud, "Service", service, { ...off, disableDependentServices: true });
  await drop(cloud, "Service", all);
  await expect(make(cloud, "Network", fitting.network)).rejects.toThrow("Compute Engine API");
  await expect(make(cloud, "Cluster", fitting.cluster)).rejects.toThrow("Kubernetes Engine API");
});

test("rejects billed APIs in a project without billing", async () => {
  const cloud = testCloud([]);
  writeFileSync(
    path.join(cloud.dir, "faults.json"),
    JSON.stringify({ rules: [{ fault: "billing", times: 2 }] }),
  );
  await make(cloud, "Service", enable("iam"));
  const refused = make(cloud, "Service", enable("compute"));
  await expect(refused).rejects.toThrow(
    'Request `Enable Project Service "compute.googleapis.com" for project "calico-test"` returned error: ' +
      "failed to enable services: failed on request preconditions: googleapi: Error 400: " +
      "Billing account for project 'calico-test' is not found. " +
      "Billing must be enabled for activation of service(s) 'compute.googleapis.com' to proceed.",
  );
  await expect(refused).rejects.toThrow("UREQ_PROJECT_BILLING_NOT_FOUND");
  await expect(make(cloud, "Service", enable("container"))).rejects.toThrow("Billing account");
  expect(made(cloud)).toEqual([]);
  await make(cloud, "Service", enable("compute"));
});

test("rejects requests for a while after an API was enabled", async () => {
  const cloud = testCloud(["iam.googleapis.com"]);
  writeFileSync(path.join(cloud.dir, "faults.json"), JSON.stringify({ apiDelaySeconds: 0.3 }));
  await make(cloud, "Service", enable("container"));
  // Enabling Kubernetes Engine also enables Compute Engine, with the same delay.
  const refused = "If you enabled this API recently, wait a few minutes for the action to propagate";
  await expect(make(cloud, "Network", fitting.network)).rejects.toThrow(refused);
  for (const [token, words] of [
    ["gcp:container/getEngineVersions:getEngineVersions", refused],
    ["gcp:serviceaccount/getAccount:getAccount", "was not found"],
  ] as const) {
    await expect(cloud.provider.invoke(token, { accountId: "absent-account" })).rejects.toThrow(words);
  }
  await expect.poll(() => make(cloud, "Network", fitting.network).catch(() => undefined)).toBeDefined();
  expect(await cloud.provider.invoke("gcp:container/getEngineVersions:getEngineVersions", {})).toMatchObject({
    location: "us-central1-f",
  });
});
