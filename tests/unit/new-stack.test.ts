import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { parseConfig } from "../../config.ts";
import { SECRET_KEYS } from "../../config/schema.ts";
import { readStacks } from "../../config/stacks.ts";
import { freePlan } from "../../tools/new-stack/address-plan.ts";
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

test("writes a file that doesn't exist yet, and without a terminal reports missing options instead of asking for them", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "k8sfv-new-stack-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  // Runs the command in a copy of its files, so that it writes no file into the project.
  const git = (args: string[]) => execFileSync("git", args, { cwd: PROJECT_DIR, encoding: "utf8" });
  for (const file of git(["ls-files", "--cached", "--others", "--exclude-standard"]).split("\n")) {
    if (!/^(tools|config|components|lib|monitoring-mixin)\/|^[^/]+\.(ts|json|yaml)$/.test(file)) continue;
    const stack = /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1];
    if (stack !== undefined && !OURS.includes(stack)) continue;
    cpSync(path.join(PROJECT_DIR, file), path.join(folder, file), { recursive: true });
  }
  symlinkSync(path.join(PROJECT_DIR, "node_modules"), path.join(folder, "node_modules"));
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ["node_modules/tsx/dist/cli.mjs", "tools/new-stack.ts", ...args], {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  const flags = ["--project", "calico-test", "--region", "us-central1"];
  const missing = run("staging", ...flags);
  expect(missing.stderr).toContain("--ci-range is missing\n");
  expect(missing.status).toBe(2);
  const unset = run("staging", ...flags, "--ci-range", "");
  expect(unset.stderr).toContain('ciSourceRanges.1 is ""');
  expect(unset.status).toBe(1);
  const all = [
    "staging",
    ...flags,
    "--ci-range",
    "10.128.0.0/20",
    "--ci-range",
    "10.64.0.0/20",
    "--peer",
    "default",
    "--nodes",
    "3",
    "--prometheus-gb",
    "50",
  ];
  const written = run(...all);
  expect(written.stderr).toBe("");
  expect(written.stdout).toMatch(/^ *npm run check$/m);
  expect(written.stdout).toMatch(/^ *pulumi stack init staging /m);
  const text = readFileSync(path.join(folder, "Pulumi.staging.yaml"), "utf8");
  expect(parse(text)).toMatchObject({
    config: {
      "k8sfv-metrics:cluster": { name: "staging", nodeCount: 3 },
      "k8sfv-metrics:disks": { prometheusGb: 50 },
      "k8sfv-metrics:ciSourceRanges": ["10.120.0.0/20", "10.128.0.0/20", "10.64.0.0/20"],
    },
  });
  expect(run(...all).stderr).toContain("The stack exists already");
}, 120_000);
