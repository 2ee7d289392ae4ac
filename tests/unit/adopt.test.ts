import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { place } from "../../local/google/place.ts";
import { findType } from "../../local/google/resources/index.ts";
import type { Values } from "../../local/plugin/values.ts";
import { adopt } from "../../tools/adopt.ts";
import { resourceId } from "../../tools/resource-ids.ts";

const defaults = { project: "calico-test", region: "us-central1", zone: "us-central1-b" };
const provider = {
  urn: "urn:pulumi:s::p::pulumi:providers:gcp::google",
  type: "pulumi:providers:gcp",
  custom: true,
  id: "1234",
  inputs: defaults,
};

function planned(type: string, name: string, inputs: object, dependencies: string[] = []) {
  const urn = `urn:pulumi:s::p::${type}::${name}`;
  const state = { urn, type, custom: true, inputs, dependencies, provider: `${provider.urn}::1234` };
  return { op: "create", newState: state };
}

/** Stands in for the engine: answers from a state, and takes another; a refresh keeps what Google has, or is refused. */
function engine(steps: object[], atGoogle: string[] | Error, pending: object[] = []) {
  let state = {
    deployment: { resources: [provider] as { urn: string; id?: string }[], pending_operations: pending },
  };
  const calls: string[][] = [];
  const pulumi = (args: string[]): Promise<string> => {
    calls.push(args);
    const [command, sub] = args;
    if (command === "preview") return Promise.resolve(JSON.stringify({ steps }));
    if (command === "refresh") {
      if (atGoogle instanceof Error) return Promise.reject(atGoogle);
      const { resources } = state.deployment;
      const kept = resources.filter(
        ({ urn, id }) => id === undefined || urn.includes(":providers:") || atGoogle.includes(id),
      );
      state = { deployment: { ...state.deployment, resources: kept } };
    }
    if (sub === "import") state = JSON.parse(readFileSync(args.at(-1) ?? "", "utf8")) as typeof state;
    return Promise.resolve(sub === "export" ? JSON.stringify(state) : "");
  };
  return { pulumi, calls, state: () => state };
}

test("what is at Google under the program's names is put into the state, and nothing else", async () => {
  const disk = planned("gcp:compute/disk:Disk", "made", { name: "k8sfv-made", zone: "us-central1-b" });
  const other = planned("gcp:compute/disk:Disk", "not-made", { name: "k8sfv-not-made" });
  const pod = planned("kubernetes:core/v1:Pod", "pod", {});
  const id = "projects/calico-test/zones/us-central1-b/disks/k8sfv-made";
  const { pulumi, state } = engine([disk, other, pod], [id], [{ type: "creating" }]);
  expect(await adopt(pulumi)).toEqual([disk.newState.urn]);
  expect(state().deployment.resources.map((resource) => resource.id)).toEqual(["1234", id]);
  expect(state().deployment.pending_operations).toEqual([]);
});

test("what depends on something not made yet is not looked for", async () => {
  const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
  const subnetwork = planned("gcp:compute/subnetwork:Subnetwork", "sub", { name: "k8sfv", network: unknown });
  const nat = planned("gcp:compute/routerNat:RouterNat", "nat", { name: "k8sfv", router: "k8sfv" });
  const pool = planned("gcp:container/nodePool:NodePool", "pool", { name: "nodes", cluster: "k8sfv" }, [
    nat.newState.urn,
  ]);
  const { pulumi, calls } = engine([subnetwork, pool], []);
  expect(await adopt(pulumi)).toEqual([]);
  expect(calls.map(([command, sub]) => `${command} ${sub}`)).toEqual(["stack export", "preview --json"]);
});

test("a state that can't be compared with Google is put back as it was", async () => {
  const disk = planned("gcp:compute/disk:Disk", "made", { name: "k8sfv-made", zone: "us-central1-b" });
  const { pulumi, state } = engine([disk], new Error("SERVICE_DISABLED"), [{ type: "creating" }]);
  const before = JSON.stringify(state());
  await expect(adopt(pulumi)).rejects.toThrow("SERVICE_DISABLED");
  expect(JSON.stringify(state())).toBe(before);
});

test("what needs an API that the state doesn't know is not looked for", async () => {
  const api = planned("gcp:projects/service:Service", "compute", {
    service: "compute.googleapis.com",
    project: defaults.project,
  });
  const disk = planned("gcp:compute/disk:Disk", "disk", { name: "k8sfv" }, [api.newState.urn]);
  const { pulumi, calls } = engine([api, disk], new Error("SERVICE_DISABLED"));
  expect(await adopt(pulumi)).toEqual([]);
  expect(calls.map(([command, sub]) => `${command} ${sub}`)).toEqual(["stack export", "preview --json"]);
});

test("what Grafana's disk has is looked for before what it needs is there", async () => {
  const grafana = {
    ...provider,
    urn: "urn:pulumi:s::p::pulumi:providers:grafana::content-provider",
    inputs: {},
  };
  const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
  const service = "urn:pulumi:s::p::kubernetes:core/v1:Service::prometheus-service";
  const source = planned("grafana:oss/dataSource:DataSource", "source", { uid: "my-prom", url: unknown }, [
    service,
  ]);
  const folder = planned("grafana:oss/folder:Folder", "folder", { uid: unknown });
  for (const { newState } of [source, folder]) newState.provider = `${grafana.urn}::1234`;
  const { pulumi, calls, state } = engine([source, folder], ["1:my-prom"]);
  state().deployment.resources.push(grafana);
  expect(await adopt(pulumi)).toEqual([source.newState.urn]);
  const made = state().deployment.resources.find(({ urn }) => urn === source.newState.urn);
  expect(made).toMatchObject({ id: "1:my-prom", dependencies: [] });
  // The way to Grafana is the program's.
  expect(calls).toContainEqual(expect.arrayContaining(["refresh", "--run-program"]));
});

test("every resource of the program that can't be created twice has the id that Google's importer takes", () => {
  // The only stack with peerings.
  const golden = JSON.parse(readFileSync(new URL("golden/calico-test.golden", import.meta.url), "utf8")) as {
    type: string;
    name: string;
    inputs: Values;
  }[];
  // No stack of the project's has a push gateway on the internet.
  const ofTheInternet = ["compute/globalAddress:GlobalAddress", "compute/securityPolicy:SecurityPolicy"];
  const ours = [
    ...golden.filter(({ type }) => type.startsWith("gcp:") && !type.endsWith(":Service")),
    ...ofTheInternet.map((type) => ({ type: `gcp:${type}`, name: type, inputs: { name: "k8sfv-push" } })),
  ];
  expect(ours.length).toBeGreaterThan(15);
  const at = defaults;
  for (const { type: token, name, inputs } of ours) {
    const type = findType(token);
    const expected = type.path(inputs, place(type.scope, inputs, at));
    const id = resourceId(token, inputs, at) ?? "";
    expect(type.importPath?.(id) ?? id, name).toBe(expected);
  }
});
