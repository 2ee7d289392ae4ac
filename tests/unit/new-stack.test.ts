import { spawnSync, type StdioOptions } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { parseConfig } from "../../config.ts";
import { SECRET_KEYS } from "../../config/schema.ts";
import { readStacks } from "../../config/stacks.ts";
import { freePlan } from "../../tools/new-stack/address-plan.ts";
import { newStack } from "../../tools/new-stack/command.ts";
import { PROJECT, stackFile } from "../../tools/new-stack/stack-file.ts";
import { PROJECT_DIR } from "../../tools/stacks.ts";

const answers = {
  name: "staging",
  project: "calico-test",
  region: "us-central1",
  ciRanges: ["10.128.0.0/20"],
  peers: ["default"],
};
/** Stacks of this repository. The tests ignore other stack files, because a team may add its own stacks. */
const OURS = ["calico-test", "local"];
const others = readStacks(PROJECT_DIR, PROJECT).filter(({ name }) => OURS.includes(name));

test("writes a file that the program accepts next to all other stacks", () => {
  const { config } = parse(stackFile(answers, others)) as { config: Record<string, unknown> };
  const flat = Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
  const parsed = parseConfig(flat, PROJECT, {}, SECRET_KEYS, { name: "staging", others });
  expect(parsed).toMatchObject({
    zone: "us-central1-b",
    cluster: { name: "staging", deletionProtection: true, endpoint: "dns", nodeCount: 2 },
    network: { primaryCidr: "10.120.0.0/20", peers: ["default"] },
    disks: { prometheusGb: 200, protect: true },
    ciSourceRanges: ["10.120.0.0/20", "10.128.0.0/20"],
  });
});

test.each([
  [{ project: "Calico" }, 'project is "Calico"'],
  [{ region: "us" }, 'region is "us"'],
  [{ ciRanges: ["10.128.0.1/20"] }, 'ciSourceRanges.1 is "10.128.0.1/20"'],
  [{ ciRanges: [""] }, 'ciSourceRanges.1 is ""'],
  [{ nodes: "many" }, 'cluster.nodeCount is "many"'],
  [{ nodes: 0 }, "cluster.nodeCount is 0"],
  [{ prometheusGb: 5 }, "disks.prometheusGb is 5"],
  [{ name: "k8sfv" }, "Pulumi.calico-test.yaml has it"],
  [{ name: "Staging" }, "a valid label value of Google Cloud"],
])("rejects invalid values before a file is written: %j", (changes, words) => {
  const beside = [
    ...others,
    { name: "calico-test", raw: { project: "calico-test", cluster: { name: "k8sfv" } } },
  ];
  expect(() => stackFile({ ...answers, ...changes }, beside)).toThrow(words);
});

test("assigns each stack a block of addresses that no other stack has, until none is free", () => {
  const first = freePlan(others, ["10.120.0.0/24"]);
  expect(first.network.primaryCidr).toBe("10.116.0.0/20");
  const stacks = [...others];
  for (;;) {
    const known = stacks.length;
    try {
      const { network } = freePlan(stacks, []);
      expect(stacks.filter(({ raw }) => JSON.stringify(raw).includes(network.podCidr))).toEqual([]);
      stacks.push({ name: `s${known}`, raw: { network } });
    } catch (error) {
      expect(String(error)).toContain("No block of addresses in 10.0.0.0/9 is free");
      break;
    }
  }
  expect(stacks.length - others.length).toBeGreaterThan(25);
});

const flags = ["--project", "calico-test", "--region", "us-central1"];

test("writes a file that doesn't exist yet, and returns the next steps", async () => {
  const directory = mkdtempSync(path.join(tmpdir(), "k8sfv-new-stack-"));
  onTestFinished(() => {
    rmSync(directory, { recursive: true });
  });
  await expect(newStack(["staging", ...flags, "--ci-range", ""], directory)).rejects.toThrow(
    'ciSourceRanges.1 is ""',
  );
  expect(readdirSync(directory)).toEqual([]);
  const ranges = ["--ci-range", "10.128.0.0/20", "--ci-range", "10.64.0.0/20"];
  const sizes = ["--nodes", "3", "--prometheus-gb", "50"];
  const all = ["staging", ...flags, ...ranges, "--peer", "default", ...sizes];
  const steps = await newStack(all, directory);
  expect(steps).toMatch(/^ *npm run check$/m);
  expect(steps).toMatch(/^ *pulumi stack init staging /m);
  const file = path.join(directory, "Pulumi.staging.yaml");
  const text = readFileSync(file, "utf8");
  expect(parse(text)).toMatchObject({
    config: {
      "k8sfv-metrics:cluster": { name: "staging", nodeCount: 3 },
      "k8sfv-metrics:disks": { prometheusGb: 50 },
      "k8sfv-metrics:ciSourceRanges": ["10.120.0.0/20", "10.128.0.0/20", "10.64.0.0/20"],
    },
  });
  await expect(newStack(all, directory)).rejects.toThrow("Pulumi.staging.yaml exists already");
  expect(readFileSync(file, "utf8")).toBe(text);
});

test.each([
  [
    "without a terminal reports missing options instead of asking for them",
    "staging",
    [],
    "--ci-range is missing\n",
    2,
  ],
  [
    "checks a new stack against the project's stacks",
    "k8sfv",
    ["--ci-range", "10.128.0.0/20"],
    "Pulumi.calico-test.yaml has it",
    1,
  ],
])("npm run new-stack %s", (_, name, more, words, expected) => {
  const args = ["--import", "tsx", "tools/new-stack.ts", name, ...flags, ...more];
  const stdio: StdioOptions = ["ignore", "pipe", "pipe"];
  const run = spawnSync(process.execPath, args, { cwd: PROJECT_DIR, encoding: "utf8", stdio });
  expect(run.stderr).toContain(words);
  expect(run.stdout).toBe("");
  expect(run.status).toBe(expected);
});
