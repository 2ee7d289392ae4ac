import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { expect, test, vi } from "vitest";
import { stackNames } from "../../config/stacks.ts";
import { PROJECT_DIR } from "../../tools/stacks.ts";
import type { Recorded } from "./mocks.ts";
import { EXAMPLE, mockEngine, named, settled, stackConfig, valueOf } from "./mocks.ts";

// The definitions' content has its own test; here they would be a megabyte, and a download.
vi.mock("../../components/operator-crds.ts", () => ({
  CRD_FILES: { "usual.yaml": "" },
  SCRAPE_CONFIG_CRD_FILES: { "scrapeconfigs.yaml": "" },
  readCrds: (source: string, files: object) =>
    Promise.resolve(`the resource definitions of ${source}: ${Object.keys(files).join(", ")}`),
}));

interface Run {
  recorded: Recorded[];
  outputs: Record<string, unknown>;
}

const runs = new Map<string, Promise<Run>>();

/** What the whole program does in a preview of a stack: its tunnel listens, and nobody calls. */
function run(stack: string): Promise<Run> {
  const known = runs.get(stack) ?? runNow(stack);
  runs.set(stack, known);
  return known;
}

async function runNow(stack: string, more: Record<string, string> = {}): Promise<Run> {
  vi.resetModules();
  vi.stubEnv("K8SFV_CRDS", "/crds");
  // A name that no stack file of the same prefix has is refused: the example stands for the one it is a copy of.
  const recorded = await mockEngine(stack === EXAMPLE ? "calico-test" : stack, true);
  pulumi.runtime.setAllConfig({ ...stackConfig(stack), ...more });
  const outputs = (await import("../../index.ts")) as Record<string, unknown>;
  await settled(recorded);
  return { recorded, outputs };
}

function golden(recorded: Recorded[]): string {
  const key = ({ type, name }: Recorded) => `${type} ${name}`;
  const sorted = recorded.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
  return `${JSON.stringify(sorted, readable, 2)}\n`;
}

/** Dashboards and queries are JSON in a text: written out, a change of one is some lines. Programs are a hash. */
function readable(key: string, value: unknown): unknown {
  if (key.endsWith(".mjs") && typeof value === "string") {
    return `sha256 ${createHash("sha256").update(value).digest("hex")}`;
  }
  return (key === "configJson" || key === "model") && typeof value === "string" ? JSON.parse(value) : value;
}

// Changed on purpose? npx vitest run tests/unit/graph.test.ts --update
test.each(stackNames(PROJECT_DIR))("the resources of %s are those written down", async (stack) => {
  const { recorded } = await run(stack);
  await expect(golden(recorded)).toMatchFileSnapshot(`golden/${stack}.golden`);
});

test("the stacks differ in what their configuration says, not in what they are made of", async () => {
  // Which networks it is joined to is a matter of configuration.
  const names = async (stack: string) =>
    (await run(stack)).recorded
      .filter(({ type }) => !type.endsWith(":NetworkPeering"))
      .map(({ type, name }) => `${type} ${name}`)
      .toSorted();
  expect(await names("local")).toEqual(await names(EXAMPLE));
});

test("with targets of Felix come a ScrapeConfig, its CRD and another start of the operator", async () => {
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

test("a long-term store adds a data source, and changes what reads and writes it", async () => {
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
});

test("the outputs are the contract's", async () => {
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

test("everything has an explicit provider: no default one, configured by whoever runs it", async () => {
  const { recorded } = await run("local");
  const without = recorded.filter(
    ({ type, custom, provider }) =>
      custom && provider === "" && !type.startsWith("pulumi:providers:") && !type.startsWith("random:"),
  );
  expect(without).toEqual([]);
});
