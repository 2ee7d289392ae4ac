import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { images } from "../../versions.ts";
import { root } from "../pages.ts";

interface Step {
  uses?: string;
  run?: string;
  env?: Record<string, string>;
  with?: Record<string, unknown>;
}
interface Workflow {
  on: Record<string, unknown>;
  permissions: Record<string, string>;
  jobs: Record<string, { if?: string; permissions: Record<string, string>; steps: Step[] }>;
}

const dir = path.join(root, ".github/workflows");
const files = readdirSync(dir).map((file) => {
  const text = readFileSync(path.join(dir, file), "utf8");
  return { file, text, workflow: parse(text) as Workflow };
});
const { scripts } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { scripts: object };

/** What a job may do at GitHub; nothing but a comment writes. */
const MOST: Record<string, string> = { contents: "read", "id-token": "write", "pull-requests": "write" };

test.each(files)("$file takes no action that can be changed under it", ({ text }) => {
  const uses = [...text.matchAll(/uses: (.+)$/gm)].map(([, action]) => action);
  expect(uses.length).toBeGreaterThan(0);
  for (const action of uses) expect(action).toMatch(/^[a-z/-]+@[0-9a-f]{40} # v\d+(\.\d+\.\d+)?$/);
});

test("the engine is the one that the local cloud runs", () => {
  const module = readFileSync(path.join(root, "local/toolchain/modules/pulumi/go.mod"), "utf8");
  const tested = /\sgithub\.com\/pulumi\/pulumi\/pkg\/v3 v(\S+)/.exec(module)?.[1];
  const run = files.flatMap(({ text }) =>
    [...text.matchAll(/pulumi-version: (\S+)/g)].map((found) => found[1]),
  );
  expect(run.length).toBeGreaterThan(0);
  expect(new Set(run)).toEqual(new Set([tested]));
});

test.each(files)("$file holds no key, shows no secret, and may do the least", ({ text, workflow }) => {
  expect(text).not.toMatch(/secrets\.|credentials_json|show-secrets|set -x|pull_request_target/);
  expect(workflow.permissions).toEqual({});
  for (const [name, { permissions, steps, if: condition }] of Object.entries(workflow.jobs)) {
    expect(MOST, name).toMatchObject(permissions);
    // Code of a fork never meets a credential.
    if ("pull_request" in workflow.on && "id-token" in permissions) {
      expect(condition).toContain("head.repo.full_name == github.repository");
    }
    for (const { uses = "", with: given } of steps.filter(({ uses }) => uses?.includes("checkout"))) {
      expect(given, uses).toMatchObject({ "persist-credentials": false });
    }
  }
});

test.each(files)("$file runs what is there, and no text of a pull request as a command", ({ workflow }) => {
  const runs = Object.values(workflow.jobs).flatMap(({ steps }) => steps.map(({ run = "" }) => run));
  for (const run of runs) {
    execFileSync("bash", ["-n"], { input: run, stdio: ["pipe", "ignore", "pipe"] });
    expect(run).not.toContain("${{");
    for (const [, script = ""] of run.matchAll(/npm run ([a-z:-]+)/g)) expect(scripts).toHaveProperty(script);
  }
});

test("Renovate's expressions find each image of versions.ts, and the operator's version in the stack files", () => {
  const { customManagers } = JSON.parse(readFileSync(path.join(root, "renovate.json"), "utf8")) as {
    customManagers: { managerFilePatterns: [string]; matchStrings: [string] }[];
  };
  const found = (file: string) =>
    customManagers
      .filter(({ managerFilePatterns: [pattern] }) => new RegExp(pattern.slice(1, -1)).test(file))
      .flatMap(({ matchStrings: [match] }) => [
        ...readFileSync(path.join(root, file), "utf8").matchAll(new RegExp(match, "g")),
      ])
      .map(({ groups }) => `${groups?.depName}:${groups?.currentValue}`);
  expect(found("versions.ts").toSorted()).toEqual(Object.values(images).toSorted());
  const version = images.operator.split(":")[1];
  expect(found("Pulumi.calico-test.yaml")).toEqual([`prometheus-operator/prometheus-operator:${version}`]);
});
