import { readdirSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test, vi } from "vitest";
import { stackNames } from "../../config/stacks.ts";
import { SECRET_KEYS } from "../../config/schema.ts";
import { schemaOf, type Values, validate } from "k8sfv-local-cloud/testing";
import { PROJECT_DIR } from "../../tools/stacks.ts";
import { difference, graphOf, toYaml } from "./golden-graph.ts";
import type { Recorded } from "./mocks.ts";
import { EXAMPLE, FULL, mockEngine, named, settled, stackConfig, valueOf } from "./mocks.ts";

// Replaces the function that reads the CRDs, which would download them and add a megabyte to the golden files.
// operator-crds.test.ts tests this function.
vi.mock("../../components/operator-crds.ts", () => ({
  CRD_FILES: { "usual.yaml": "" },
  SCRAPE_CONFIG_CRD_FILES: { "scrapeconfigs.yaml": "" },
  readCrds: (source: string, files: object) =>
    Promise.resolve(`the CRDs of ${source}: ${Object.keys(files).join(", ")}`),
}));

const tunnels = vi.hoisted(() => ({ opened: 0, open: 0 }));
// Replaces the tunnel to Grafana by one without a listener, because several runs in this process would
// compete for its port.
vi.mock(import("../../lib/tunnel.ts"), () => ({
  openTunnel: (port: number) => {
    tunnels.opened += 1;
    tunnels.open += 1;
    return Promise.resolve({ url: `http://127.0.0.1:${port}`, settle: () => (tunnels.open -= 1) });
  },
}));

interface Run {
  recorded: Recorded[];
  outputs: Record<string, unknown>;
}

const runs = new Map<string, Promise<Run>>();

/** Runs the program as a preview of a stack, once for each stack. Returns its resources and outputs. */
function run(stack: string): Promise<Run> {
  const known = runs.get(stack) ?? runNow(stack);
  runs.set(stack, known);
  return known;
}

async function runNow(stack: string, more: Record<string, string> = {}): Promise<Run> {
  vi.resetModules();
  vi.stubEnv("K8SFV_CRDS", "/crds");
  const secrets = SECRET_KEYS.map((key) => `k8sfv-metrics:${key}`);
  vi.stubEnv("PULUMI_CONFIG_SECRET_KEYS", JSON.stringify(secrets));
  // The example has the same cluster and network names as calico-test. The configuration rejects a stack with the names
  // of another stack, so the example runs as calico-test.
  const recorded = await mockEngine(stack === EXAMPLE ? "calico-test" : stack, true);
  pulumi.runtime.setAllConfig({ ...stackConfig(stack), ...more }, secrets);
  const outputs = (await import("../../index.ts")) as Record<string, unknown>;
  await settled(recorded);
  return { recorded, outputs };
}

async function graph(stack: string) {
  return graphOf((await run(stack)).recorded);
}

const DASHBOARD = "grafana:oss/dashboard:Dashboard ";
const stacks = [FULL, ...stackNames(PROJECT_DIR)];

function dashboardFile(key: string): string {
  return `dashboards/${key.slice(DASHBOARD.length).replace("content-dashboard-", "")}.yaml`;
}

const ACCEPT = "to accept intended changes: npx vitest run tests/unit/graph.test.ts --update";

describe("the resource graph equals its golden files:", () => {
  test("the base, which is the example stack without its dashboards", async () => {
    const base = Object.entries(await graph(EXAMPLE)).map(([key, resource]) =>
      key.startsWith(DASHBOARD) ? [key, { ...resource, inputs: `(${dashboardFile(key)})` }] : [key, resource],
    );
    await expect(toYaml(Object.fromEntries(base)), ACCEPT).toMatchFileSnapshot("golden/base.yaml");
  });

  test("the inputs of the base's dashboards", async () => {
    for (const [key, { inputs }] of await dashboards()) {
      await expect(toYaml(inputs), ACCEPT).toMatchFileSnapshot(`golden/${dashboardFile(key)}`);
    }
  });

  test.each(stacks)("the difference of %s from the base", async (stack) => {
    const changes = difference(await graph(EXAMPLE), await graph(stack)) ?? {};
    await expect(toYaml(changes), ACCEPT).toMatchFileSnapshot(`golden/${stack}.yaml`);
  });

  test("no other file", async () => {
    const files = readdirSync(new URL("golden", import.meta.url), { recursive: true });
    const known = [
      ...["base", ...stacks].map((stack) => `${stack}.yaml`),
      ...(await dashboards()).map(([key]) => dashboardFile(key)),
    ];
    expect(
      files.map(String).filter((file) => file.endsWith(".yaml") && !known.includes(file)),
      "delete the golden file of a removed stack or dashboard from tests/unit/golden",
    ).toEqual([]);
  });

  async function dashboards() {
    return Object.entries(await graph(EXAMPLE)).filter(([key]) => key.startsWith(DASHBOARD));
  }
});

test("the stacks have the same resources, except for network peerings", async () => {
  const names = async (stack: string) =>
    (await run(stack)).recorded
      .filter(({ type }) => !type.endsWith(":NetworkPeering"))
      .map(({ type, name }) => `${type} ${name}`)
      .toSorted();
  expect(await names("local")).toEqual(await names(EXAMPLE));
});

test("Felix targets add a ScrapeConfig and its CRD, and restart the operator", async () => {
  const felix = JSON.stringify({ targets: ["10.248.4.2:9091"], intervalSeconds: 15 });
  const without = await run("local");
  const { recorded } = await runNow("local", { "k8sfv-metrics:felix": felix });
  const names = without.recorded.map(({ name }) => name);
  expect(recorded.filter(({ name }) => !names.includes(name)).map(({ name }) => name)).toEqual([
    "felix-scrape",
    "felix-scrape-config",
  ]);
  expect(named(recorded, "felix-scrape-config").inputs.spec).toEqual({
    jobName: "felix",
    scrapeInterval: "15s",
    scrapeTimeout: "10s",
    sampleLimit: 20000,
    staticConfigs: [{ targets: ["10.248.4.2:9091"] }],
  });
  expect(named(recorded, "operator-crds").inputs.yaml).toContain("usual.yaml, scrapeconfigs.yaml");
  expect(named(without.recorded, "operator-crds").inputs.yaml).not.toContain("scrapeconfigs.yaml");
  expect(named(recorded, "operator-deployment").inputs).not.toEqual(
    named(without.recorded, "operator-deployment").inputs,
  );
});

test("a long-term store adds a data source and changes the resources that read and write it", async () => {
  const longTerm = JSON.stringify({
    writeUrl: "http://10.248.4.9:8480/write",
    readUrl: "http://10.248.4.9:8481/read",
    localRetentionDays: 60,
  });
  const without = await run("local");
  const { recorded } = await runNow("local", { "k8sfv-metrics:longTerm": longTerm });
  const before = new Map(without.recorded.map(({ name, inputs }) => [name, JSON.stringify(inputs)]));
  const added = recorded.filter(({ name }) => !before.has(name)).map(({ name }) => name);
  expect(added).toEqual(["content-prometheus-local"]);
  const changed = recorded.filter(
    ({ name, inputs }) => before.has(name) && before.get(name) !== JSON.stringify(inputs),
  );
  expect(changed.map(({ name }) => name).toSorted()).toEqual([
    "content-prometheus",
    "network-policies-grafana",
    "network-policies-prometheus",
    "prometheus-instance",
  ]);
  expect(named(recorded, "prometheus-instance").inputs.spec).toMatchObject({ retention: "1440h" });
});

test("every Google Cloud resource has a type that the local cloud emulates, and only arguments of the provider's schema", async () => {
  const recorded = await Promise.all([EXAMPLE, ...stacks].map(async (stack) => (await run(stack)).recorded));
  const resources = recorded.flat().filter(({ type }) => type.startsWith("gcp:"));
  expect(resources.length).toBeGreaterThan(60);
  const reasons = (type: string, inputs: object) =>
    validate(schemaOf(type), {}, inputs as Values).map(({ reason }) => reason);
  for (const { type, name, inputs } of resources) {
    expect(reasons(type, inputs), name).toEqual([]);
    for (const [argument, value] of Object.entries(inputs)) {
      const misspelt = { ...inputs, [argument]: undefined, [`${argument}X`]: value };
      expect(reasons(type, misspelt), name).toContain(`Invalid or unknown key: "${argument}X"`);
    }
  }
});

test("closes the tunnel to Grafana after its content is created", async () => {
  await runNow("local");
  expect(tunnels.opened).toBeGreaterThan(0);
  expect(tunnels.open).toBe(0);
});

test("the stack outputs have the documented names and values", async () => {
  const { outputs } = await run(EXAMPLE);
  const plain = async (name: string) => valueOf(pulumi.output(outputs[name]));
  expect(Object.keys(outputs).toSorted()).toEqual([
    "DASHBOARDS",
    "GRAFANA_PASSWORD",
    "GRAFANA_TUNNEL",
    "GRAFANA_URL",
    "GRAFANA_USER",
    "KUBECONFIG_YAML",
    "PROMETHEUS_URL",
    "PROMPG_ADDRESS",
    "PROMPG_URL",
    "PROMPG_URL_IN_CLUSTER",
  ]);
  expect(await plain("PROMPG_URL")).toBe("http://10.248.1.4:9091");
  expect(await plain("PROMETHEUS_URL")).toBe("http://10.248.1.6:9090");
  expect(await plain("GRAFANA_URL")).toBe("http://10.248.1.7:3000");
  expect(await plain("PROMPG_URL_IN_CLUSTER")).toBe("http://prom-gateway.monitoring:9091");
  expect(await plain("GRAFANA_TUNNEL")).toMatch(/^[^'\n]+$/);
  for (const name of ["GRAFANA_PASSWORD", "KUBECONFIG_YAML"]) {
    expect(await pulumi.isSecret(pulumi.output(outputs[name])), name).toBe(true);
  }
  for (const name of ["PROMPG_URL", "GRAFANA_URL", "PROMETHEUS_URL", "GRAFANA_TUNNEL"]) {
    expect(await pulumi.isSecret(pulumi.output(outputs[name])), name).toBe(false);
  }
});

test("with exposure in-cluster, there is a URL for pushes in the cluster only", async () => {
  const exposure = JSON.stringify({ exposure: "in-cluster" });
  const { outputs } = await runNow("local", { "k8sfv-metrics:pushGateway": exposure });
  expect(outputs.PROMPG_URL).toBeUndefined();
  expect(outputs.PROMPG_ADDRESS).toBeUndefined();
  const inCluster = pulumi.output(outputs.PROMPG_URL_IN_CLUSTER);
  expect(await valueOf(inCluster)).toBe("http://prom-gateway.monitoring:9091");
});

test("every resource has an explicit provider", async () => {
  const { recorded } = await run("local");
  const without = recorded.filter(
    ({ type, custom, provider }) =>
      custom && provider === "" && !type.startsWith("pulumi:providers:") && !type.startsWith("random:"),
  );
  expect(without).toEqual([]);
});
