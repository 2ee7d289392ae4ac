import { writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ExecaError } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type LocalAddresses,
  type SampleResult,
  readBack,
  removeCloud,
  runSample,
  startForwards,
} from "k8sfv-local-cloud";
import { basicAuth, queryGrafana } from "../../lib/grafana.ts";
import { importExisting } from "../../tools/import-existing.ts";
import { podIds } from "./pods.ts";
import { split } from "./pushes.ts";
import { eventually } from "./prometheus.ts";
import { openTestStack, type TestStack } from "./stack.ts";

/**
 * Maximum number of rejected pushes while all nodes are replaced. Some are rejected, because the Pushgateway's pod
 * moves once and the pushes of this test time out after 5 s.
 */
const MAX_REFUSED = 30;

/**
 * Tests that data survives when nodes are added and removed, when the cluster is replaced, and when everything except
 * the disks is destroyed. Does not prove that Google's disks, snapshots and load balancers behave like the emulated
 * ones.
 */
describe("a rebuild", () => {
  let stack: TestStack;
  let outputs: Record<string, unknown>;
  let addresses: LocalAddresses;
  /** A run that was pushed before all rebuilds, and a Unix time in s at which Prometheus had its samples. */
  let first: SampleResult;
  let firstSeen: number;

  beforeAll(async () => {
    stack = await openTestStack("rebuild");
    outputs = await stack.up();
    addresses = await startForwards(stack.cloud, outputs);
    first = await runSample(stack.cloud, outputs);
    await readBack(addresses.grafana, outputs, first);
    // Rounded up, so that a query at this time includes samples scraped in the current second.
    firstSeen = Math.ceil(Date.now() / 1000);
    await leaveSomethingInGrafana();
  });

  afterAll(() => removeCloud(stack.cloud));

  it("loses no push while nodes are added and removed", async () => {
    const pushes = new Pushes(addresses.pushGateway);
    for (const nodeCount of [3, 2]) {
      await stack.set({ "cluster.nodeCount": nodeCount });
      await stack.up();
    }
    const { accepted, refused } = await pushes.stop();
    const stored = await storedPushes();
    expect(accepted.filter((n) => !stored.has(n))).toEqual([]);
    expect(accepted.length).toBeGreaterThan(5);
    console.log(`pushes while resizing: ${accepted.length} accepted and stored, ${refused} rejected`);
  });

  it.each([
    ["a new machine type", { "cluster.machineType": "e2-standard-4" }],
    [
      "Spot nodes, which require a new node pool",
      { "cluster.spot": true, "cluster.acceptInterruptions": true },
    ],
  ])("loses no push while all nodes are replaced by new ones: %s", async (what, changes) => {
    const pushes = new Pushes(addresses.pushGateway);
    await stack.set(changes);
    await stack.up();
    const { accepted, refused } = await pushes.stop();
    const stored = await storedPushes();
    expect(accepted.filter((n) => !stored.has(n))).toEqual([]);
    expect(accepted.length).toBeGreaterThan(5);
    console.log(`pushes with ${what}: ${accepted.length} accepted and stored, ${refused} rejected`);
    expect(refused).toBeLessThan(MAX_REFUSED);
  });

  it("replaces nothing in the cluster when the kubeconfig of the same cluster changes", async () => {
    const before = await podIds(stack.cloud);
    // Emulates an older program, whose kubeconfig had another hint for users without gke-gcloud-auth-plugin.
    const state = await stack.engine.pulumi(["stack", "export", "--show-secrets"]);
    expect(state).toContain("Install it with");
    const file = path.join(stack.cloud.pulumiDir, "older.json");
    await writeFile(file, state.replaceAll("Install it with", "Get it by"), { mode: 0o600 });
    await stack.engine.pulumi(["stack", "import", "--file", file]);
    const { steps } = JSON.parse(await stack.engine.pulumi(["preview", "--json"])) as {
      steps: { op: string; urn: string }[];
    };
    const changed = steps
      .filter(({ op }) => op !== "same")
      .map(({ op, urn }) => `${op} ${urn.split("::")[2]}`);
    // Only the Kubernetes provider changes. It is a resource in the state, not an object in the cluster.
    expect(new Set(changed.map((change) => change.split(" ")[1]))).toEqual(
      new Set(["pulumi:providers:kubernetes"]),
    );
    await stack.up();
    expect(await podIds(stack.cloud)).toEqual(before);
    await stack.engine.pulumi(["preview", "--expect-no-changes"]);
  });

  it("keeps all data and addresses when one `up` replaces the cluster", async () => {
    const before = await identity();
    await stack.set({ "network.controlPlaneCidr": "10.250.32.0/28" });
    const after = await stack.up();
    expect(await identity()).not.toBe(before);
    expect(after).toEqual({ ...outputs, KUBECONFIG_YAML: after.KUBECONFIG_YAML });
    await expectEverythingKept();
  });

  it("reports how to continue when `destroy` stops at protected disks", async () => {
    // From here on, pushes need a password. The comparisons of the outputs then check that the password stays the same,
    // because CI jobs have stored it.
    await stack.set({ "disks.protect": true, "pushGateway.auth": true });
    outputs = await stack.up();
    // `destroy` begins with a preview, which fails here. Without the preview, the engine would first delete all
    // resources that are not protected.
    const refusal: unknown = await stack.engine.pulumi(["destroy", "--yes"]).catch((e: unknown) => e);
    expect(refusal).toBeInstanceOf(ExecaError);
    const output = (refusal as ExecaError).stdout;
    for (const words of ["disks-prometheus", "because it is protected", "remove the `protect` flag"]) {
      expect(output).toContain(words);
    }
    await expectEverythingKept();
  });

  it("keeps all data when everything except the disks is destroyed and recreated", async () => {
    await stack.engine.pulumi(["destroy", "--yes", "--skip-preview", "--exclude-protected"]);
    const left = (await stack.atGoogle()).paths;
    expect(left.map((path) => path.split("/").at(-1)).sort()).toEqual([
      "k8sfv-alertmanager",
      "k8sfv-grafana",
      "k8sfv-prometheus",
      "k8sfv-push-gateway",
    ]);
    // Grafana's disk still has resources that are missing in the state. Therefore `up` fails until importExisting has
    // imported them.
    const refusal: unknown = await stack.up().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ExecaError);
    expect((refusal as ExecaError).stdout).toMatch(/status 4(09|12)/);
    const adopted = (await importExisting(stack.engine.pulumi)).imported.map((urn) => urn.split("::").at(-1));
    expect(adopted).toEqual(expect.arrayContaining(["content-folder", "content-prometheus"]));
    console.log(`imported from Grafana's disk: ${adopted.join(", ")}`);
    const after = await stack.up();
    addresses = await startForwards(stack.cloud, after);
    expect(after).toEqual({ ...outputs, KUBECONFIG_YAML: after.KUBECONFIG_YAML });
    await expectEverythingKept();
  });

  it("continues with a disk that was restored from a snapshot after a refresh", async () => {
    const exported = JSON.parse(await stack.engine.pulumi(["stack", "export"])) as {
      deployment: { resources: { urn: string; inputs: object; outputs: object }[] };
    };
    const disk = exported.deployment.resources.find(({ urn }) => urn.endsWith("::disks-prometheus"));
    // Emulates a disk that was restored manually, as docs/rebuild.md describes.
    for (const values of [disk?.inputs, disk?.outputs]) {
      Object.assign(values ?? {}, { snapshot: "k8sfv-prometheus-20261120", description: "" });
    }
    const file = path.join(stack.cloud.pulumiDir, "restored.json");
    await writeFile(file, JSON.stringify(exported));
    await stack.engine.pulumi(["stack", "import", "--file", file]);
    await stack.engine.pulumi(["preview", "--diff", "--expect-no-changes"]);
  });

  it("recovers when the cluster was deleted outside of Pulumi", async () => {
    const state = path.join(stack.cloud.pulumiDir, "before.json");
    await stack.engine.pulumi(["stack", "export", "--file", state]);
    const cluster = ["--target", "**::cluster-gke", "--target-dependents"];
    await stack.engine.pulumi(["destroy", "--yes", "--skip-preview", ...cluster]);
    await stack.engine.pulumi(["stack", "import", "--file", state]);
    // Excludes Grafana's content, because Grafana can't be reached. The content is still on its disk.
    const refresh = ["refresh", "--yes", "--skip-preview", "--exclude", "**::content-*"];
    await withVariable("PULUMI_K8S_DELETE_UNREACHABLE", "true", () => stack.engine.pulumi(refresh));
    const after = await stack.up();
    addresses = await startForwards(stack.cloud, after);
    expect(after).toEqual({ ...outputs, KUBECONFIG_YAML: after.KUBECONFIG_YAML });
    await expectEverythingKept();
  });

  it("is destroyed completely when the disks are no longer protected", async () => {
    await stack.set({ "disks.protect": false });
    await stack.up();
    await stack.engine.pulumi(["destroy", "--yes", "--skip-preview"]);
    expect(await stack.resources()).toEqual([]);
  });

  /** Returns the label `n` of each push that the Pushgateway has. Retries while its pod moves. */
  async function storedPushes(): Promise<Set<number>> {
    const read = async () => {
      const response = await fetch(`${addresses.pushGateway}/metrics`);
      if (!response.ok) throw new Error(`GET /metrics: ${response.status} ${await response.text()}`);
      return response.text();
    };
    const text = await eventually(read, () => true);
    return new Set([...text.matchAll(/^rebuild_push\{.*n="(\d+)"\} 1$/gm)].map(([, n]) => Number(n)));
  }

  /** Returns the kubeconfig, whose CA identifies the cluster. */
  async function identity(): Promise<unknown> {
    return stack.engine.pulumi(["stack", "output", "--show-secrets", "KUBECONFIG_YAML"]);
  }

  async function grafana<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${addresses.grafana}/api${path}`, {
      method,
      headers: { ...basicAuth(outputs), "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  async function leaveSomethingInGrafana(): Promise<void> {
    await grafana("POST", "/annotations", { text: "the night the nodes were new", tags: ["rebuild"] });
    await grafana("POST", "/dashboards/db", { dashboard: { uid: "by-hand", title: "By hand" } });
    const user = { name: "Reader", login: "reader", password: "only-for-this-test" };
    await grafana("POST", "/admin/users", user);
  }

  async function expectEverythingKept(): Promise<void> {
    // The Pushgateway still has the last run, and Prometheus has the earlier samples.
    const { headers } = split(String(outputs.PROMPG_URL));
    // The test repeats a failed request, because the first one may reuse a connection to the address from before the
    // rebuild.
    const metrics = () =>
      fetch(`${addresses.pushGateway}/metrics`, { headers }).then((response) => response.text(), String);
    const last = `^k8sfv_occupancy_mean_bytes\\{.*\\} ${asGo(first.occupancyMeanBytes)}$`;
    await expect.poll(metrics, { timeout: 60_000, interval: 1_000 }).toMatch(new RegExp(last, "m"));
    const then = `k8sfv_occupancy_mean_bytes{code_level="${first.codeLevel}"} @ ${firstSeen}`;
    const read = () =>
      queryGrafana(addresses.grafana, outputs, then).catch((error: unknown) => [String(error)]);
    await expect.poll(read, { timeout: 60_000, interval: 2_000 }).toContain(first.occupancyMeanBytes);
    const annotations = await grafana<{ text: string }[]>("GET", "/annotations?tags=rebuild");
    expect(annotations.map(({ text }) => text)).toEqual(["the night the nodes were new"]);
    expect(await grafana("GET", "/dashboards/uid/by-hand")).toHaveProperty("dashboard.title", "By hand");
    expect(await grafana("GET", "/users/lookup?loginOrEmail=reader")).toHaveProperty("login", "reader");
  }
});

/** Runs `work` with an environment variable of this process, which the engine inherits. */
async function withVariable<T>(name: string, value: string, work: () => Promise<T>): Promise<T> {
  process.env[name] = value;
  try {
    return await work();
  } finally {
    Reflect.deleteProperty(process.env, name);
  }
}

/** Returns a regular expression for a number as Go writes it in the text format. */
function asGo(value: number): string {
  const [mantissa = "", exponent = "0"] = value.toExponential().replace("e+", "e").split("e");
  return value < 1e21 && value >= 1e6 ? `${mantissa}e\\+${exponent.padStart(2, "0")}` : String(value);
}

/** Pushes one group after the other, at most two per second, until `stop` is called or 600 groups are pushed. */
class Pushes {
  private readonly accepted: number[] = [];
  private refused = 0;
  private running = true;
  private readonly done: Promise<void>;

  constructor(private readonly gateway: string) {
    this.done = this.run();
  }

  async stop(): Promise<{ accepted: number[]; refused: number }> {
    this.running = false;
    await this.done;
    return { accepted: this.accepted, refused: this.refused };
  }

  private async run(): Promise<void> {
    for (let n = 0; n < 600 && this.running; n++) {
      const answer = await fetch(`${this.gateway}/metrics/job/rebuild/n/${n}`, {
        method: "PUT",
        body: "rebuild_push 1\n",
        signal: AbortSignal.timeout(5_000),
      }).catch(() => undefined);
      if (answer?.ok === true) this.accepted.push(n);
      else this.refused += 1;
      await sleep(500);
    }
  }
}
