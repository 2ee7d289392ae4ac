import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { importExisting, lockOf } from "../../tools/import-existing.ts";
import { otherStates } from "../../tools/state.ts";

const defaults = { project: "calico-test", region: "us-central1", zone: "us-central1-b" };
const provider = {
  urn: "urn:pulumi:s::p::pulumi:providers:gcp::google",
  type: "pulumi:providers:gcp",
  custom: true,
  id: "1234",
  inputs: defaults,
};

/**
 * Returns a secret value as `pulumi stack export --show-secrets` prints it. Without that option it is printed
 * as a ciphertext.
 */
const secret = (value: object) => ({ [SIGNATURE]: SECRET, plaintext: JSON.stringify(value) });
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

const NOTHING = { imported: [], skipped: [] };

function planned(type: string, name: string, inputs: object, dependencies: string[] = []) {
  const urn = `urn:pulumi:s::p::${type}::${name}`;
  const state = { urn, type, custom: true, inputs, dependencies, provider: `${provider.urn}::1234` };
  return { op: "create", newState: state };
}

/**
 * Returns a fake of the engine, which keeps a state in memory.
 *
 * @param steps - steps of a preview
 * @param atGoogle - IDs of the resources that a refresh keeps in the state, or the error with which it fails
 * @param pending - pending operations in the state
 * @param outputs - outputs of resources after a refresh, by ID
 */
function engine(
  steps: object[],
  atGoogle: string[] | Error,
  pending: object[] = [],
  outputs: Record<string, object> = {},
) {
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
      const existing = resources.filter(
        ({ urn, id }) => id === undefined || urn.includes(":providers:") || atGoogle.includes(id),
      );
      const refreshed = existing.map((resource) => ({
        ...resource,
        outputs: outputs[resource.id ?? ""] ?? {},
      }));
      state = { deployment: { ...state.deployment, resources: refreshed } };
    }
    if (sub === "import") state = JSON.parse(readFileSync(args.at(-1) ?? "", "utf8")) as typeof state;
    const text = JSON.stringify(state);
    const printed = args.includes("--show-secrets") ? text : text.replaceAll("plaintext", "ciphertext");
    return Promise.resolve(sub === "export" ? printed : "");
  };
  return { pulumi, calls, state: () => state };
}

test("imports only resources that exist under the program's names", async () => {
  const disk = planned("gcp:compute/disk:Disk", "made", { name: "k8sfv-made", zone: "us-central1-b" });
  const other = planned("gcp:compute/disk:Disk", "not-made", { name: "k8sfv-not-made" });
  const pod = planned("kubernetes:core/v1:Pod", "pod", {});
  const id = "projects/calico-test/zones/us-central1-b/disks/k8sfv-made";
  const ownLabels = { [id]: { effectiveLabels: secret({ "pulumi-stack": "s" }) } };
  const { pulumi, state } = engine([disk, other, pod], [id], [{ type: "creating" }], ownLabels);
  expect(await importExisting(pulumi)).toEqual({ imported: [disk.newState.urn], skipped: [] });
  expect(state().deployment.resources.map((resource) => resource.id)).toEqual(["1234", id]);
  expect(state().deployment.pending_operations).toEqual([]);
});

test("ignores resources that depend on a resource that doesn't exist", async () => {
  const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
  const subnetwork = planned("gcp:compute/subnetwork:Subnetwork", "sub", { name: "k8sfv", network: unknown });
  const nat = planned("gcp:compute/routerNat:RouterNat", "nat", { name: "k8sfv", router: "k8sfv" });
  const pool = planned("gcp:container/nodePool:NodePool", "pool", { name: "nodes", cluster: "k8sfv" }, [
    nat.newState.urn,
  ]);
  const { pulumi, calls } = engine([subnetwork, pool], []);
  expect(await importExisting(pulumi)).toEqual(NOTHING);
  expect(calls.map(([command, sub]) => `${command} ${sub}`)).toEqual(["stack export", "preview --json"]);
});

test("restores the state if the refresh fails", async () => {
  const disk = planned("gcp:compute/disk:Disk", "made", { name: "k8sfv-made", zone: "us-central1-b" });
  const { pulumi, state } = engine([disk], new Error("SERVICE_DISABLED"), [{ type: "creating" }]);
  const before = JSON.stringify(state());
  await expect(importExisting(pulumi)).rejects.toThrow("SERVICE_DISABLED");
  expect(JSON.stringify(state())).toBe(before);
});

test("ignores resources of an API that is missing in the state", async () => {
  const api = planned("gcp:projects/service:Service", "compute", {
    service: "compute.googleapis.com",
    project: defaults.project,
  });
  const disk = planned("gcp:compute/disk:Disk", "disk", { name: "k8sfv" }, [api.newState.urn]);
  const { pulumi, calls } = engine([api, disk], new Error("SERVICE_DISABLED"));
  expect(await importExisting(pulumi)).toEqual(NOTHING);
  expect(calls.map(([command, sub]) => `${command} ${sub}`)).toEqual(["stack export", "preview --json"]);
});

test("imports Grafana's content before the resources that it depends on exist", async () => {
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
  expect(await importExisting(pulumi)).toEqual({ imported: [source.newState.urn], skipped: [] });
  const made = state().deployment.resources.find(({ urn }) => urn === source.newState.urn);
  expect(made).toMatchObject({ id: "1:my-prom", dependencies: [] });
  // The refresh must run the program, because the program opens the tunnel to Grafana.
  expect(calls).toContainEqual(expect.arrayContaining(["refresh", "--run-program"]));
});

test("skips resources that have another stack's label, and the resources that depend on them", async () => {
  const disk = planned("gcp:compute/disk:Disk", "disk", { name: "k8sfv-made", zone: "us-central1-b" });
  const policy = planned("gcp:compute/resourcePolicy:ResourcePolicy", "daily", { name: "daily" });
  const attachment = planned(
    "gcp:compute/diskResourcePolicyAttachment:DiskResourcePolicyAttachment",
    "attachment",
    { disk: "k8sfv-made", name: "daily" },
    [disk.newState.urn],
  );
  const own = planned("gcp:compute/address:Address", "own", { name: "own" }, [policy.newState.urn]);
  const ids = {
    disk: "projects/calico-test/zones/us-central1-b/disks/k8sfv-made",
    policy: "projects/calico-test/regions/us-central1/resourcePolicies/daily",
    attachment: "calico-test/us-central1-b/k8sfv-made/daily",
    own: "projects/calico-test/regions/us-central1/addresses/own",
  };
  const outputs = {
    [ids.disk]: {
      effectiveLabels: secret({ "pulumi-stack": "staging" }),
      resourcePolicies: [`https://www.googleapis.com/compute/v1/${ids.policy}`],
    },
    [ids.own]: { effectiveLabels: secret({ "pulumi-stack": "s" }) },
  };
  const { pulumi, state } = engine([disk, policy, attachment, own], Object.values(ids), [], outputs);
  const { imported, skipped } = await importExisting(pulumi);
  expect(imported).toEqual([own.newState.urn]);
  expect(skipped).toEqual([
    { urn: disk.newState.urn, id: ids.disk, why: "it carries the label pulumi-stack=staging" },
    { urn: policy.newState.urn, id: ids.policy, why: "disk uses it" },
    { urn: attachment.newState.urn, id: ids.attachment, why: "it belongs to disk" },
  ]);
  const resources = state().deployment.resources as { urn: string; dependencies?: string[] }[];
  expect(resources.map(({ urn }) => urn)).toEqual([provider.urn, own.newState.urn]);
  expect(resources[1]?.dependencies).toEqual([]);
});

test("skips resources that have no stack's label, or that are in another stack's state", async () => {
  const disk = planned("gcp:compute/disk:Disk", "disk", { name: "made", zone: "us-central1-b" });
  const network = planned("gcp:compute/network:Network", "vpc", { name: "k8sfv" });
  const router = planned("gcp:compute/router:Router", "router", { name: "k8sfv" }, [network.newState.urn]);
  const free = planned("gcp:compute/network:Network", "free", { name: "free" });
  const ids = {
    disk: "projects/calico-test/zones/us-central1-b/disks/made",
    network: "projects/calico-test/global/networks/k8sfv",
    router: "projects/calico-test/regions/us-central1/routers/k8sfv",
    free: "projects/calico-test/global/networks/free",
  };
  const { pulumi } = engine([disk, network, router, free], Object.values(ids));
  const { imported, skipped } = await importExisting(pulumi, { staging: [ids.network] });
  expect(imported).toEqual([free.newState.urn]);
  expect(skipped.map(({ why }) => why)).toEqual([
    "it carries no label pulumi-stack; if it is this stack's, set the label to s",
    "it is in the state of the stack staging",
    "it belongs to vpc",
  ]);
});

test("reads the resource IDs of the backend's other stacks", async () => {
  const answers: Record<string, object> = {
    "stack ls --json": [{ name: "s" }, { name: "staging" }, { name: "new" }],
    "stack export --stack staging": { deployment: { resources: [provider, { type: "gcp:x", id: "one" }] } },
    "stack export --stack new": { version: 3 },
  };
  const run = (args: string[]) => Promise.resolve(JSON.stringify(answers[args.join(" ")]));
  expect(await otherStates(run, "s")).toEqual({ staging: ["one"], new: [] });
});

/** Error output of `pulumi` while the state has the lock of a killed run. */
const words = `error: could not import deployment: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.
  gs://states/.pulumi/locks/organization/k8sfv-metrics/calico-test/0b1c.json: created by root@ci (pid 4711) at 2026-11-29T01:02:03Z`;
const locked = Object.assign(new Error("Command failed with exit code 255"), { stderr: words });

test("reports that the state is locked, and does not try to restore it", async () => {
  const disk = planned("gcp:compute/disk:Disk", "made", { name: "k8sfv-made", zone: "us-central1-b" });
  const { pulumi, calls } = engine([disk], []);
  const imports = () => calls.filter(([, sub]) => sub === "import").length;
  const refusing = (args: string[]) => {
    const answer = pulumi(args);
    return args[1] === "import" ? Promise.reject(locked) : answer;
  };
  await expect(importExisting(refusing)).rejects.toBe(locked);
  expect(imports()).toBe(1);
});

test("returns the file and owner of a lock, and undefined for other errors", () => {
  expect(lockOf(locked)).toBe(
    "gs://states/.pulumi/locks/organization/k8sfv-metrics/calico-test/0b1c.json: created by root@ci (pid 4711) at 2026-11-29T01:02:03Z",
  );
  expect(lockOf(new Error("[409] Conflict: Another update is currently in progress."))).toBe(
    "Another update is currently in progress",
  );
  expect(lockOf(new Error("no such stack"))).toBeUndefined();
});
