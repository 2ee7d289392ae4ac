import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { checkStacks, readStacks, stackNames } from "../../config/stacks.ts";

const calicoTest = {
  name: "calico-test",
  raw: { project: "calico-test", cluster: { name: "k8sfv" }, network: { name: "k8sfv" } },
};
const staging = (raw: object) => ({ name: "staging", raw: { project: "calico-test", ...raw } });

test.each([
  ["a copy", { cluster: { name: "k8sfv" }, network: { name: "k8sfv" } }, ["cluster.name", "network.name"]],
  ["the same prefix", { cluster: { name: "k8sfv" }, network: { name: "other" } }, ["cluster.name"]],
  ["the other's network", { cluster: { name: "staging" }, network: { name: "k8sfv" } }, ["network.name"]],
  ["the other's network by its prefix", { cluster: { name: "k8sfv" } }, ["cluster.name", "network.name"]],
  ["names of its own", { cluster: { name: "staging" } }, []],
  ["another project", { project: "ours", cluster: { name: "k8sfv" } }, []],
])("a stack beside another one: %s", (_, raw, keys) => {
  const problems = checkStacks(staging(raw), [calicoTest, staging(raw)]);
  expect(problems.map(({ path: key }) => key.join("."))).toEqual(keys);
  for (const { allowed } of problems) {
    expect(allowed).toBe(
      "a name that no other stack of the project calico-test has; it is Pulumi.calico-test.yaml's",
    );
  }
});

test.each(["Staging", "a.b", "x".repeat(64)])(
  "a stack's name that can't be a label is refused: %s",
  (name) => {
    expect(checkStacks({ name, raw: {} }, [])).toMatchObject([{ was: name }]);
  },
);

test("lists stacks by their files", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "stacks-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  writeFileSync(path.join(folder, "Pulumi.yaml"), "name: k8sfv-metrics\n");
  writeFileSync(
    path.join(folder, "Pulumi.staging.yaml"),
    "encryptionsalt: v1\nconfig:\n  k8sfv-metrics:project: calico-test\n  gcp:project: other\n",
  );
  writeFileSync(path.join(folder, "Pulumi.empty.yaml"), "");
  expect(stackNames(folder)).toEqual(["empty", "staging"]);
  expect(readStacks(folder, "k8sfv-metrics")).toEqual([
    { name: "empty", raw: {} },
    { name: "staging", raw: { project: "calico-test" } },
  ]);
});
