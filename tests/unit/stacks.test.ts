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
  [
    "the same names",
    { cluster: { name: "k8sfv" }, network: { name: "k8sfv" } },
    ["cluster.name", "network.name"],
  ],
  ["the same prefix", { cluster: { name: "k8sfv" }, network: { name: "other" } }, ["cluster.name"]],
  ["the same network name", { cluster: { name: "staging" }, network: { name: "k8sfv" } }, ["network.name"]],
  [
    "the same prefix as the other network name",
    { cluster: { name: "k8sfv" } },
    ["cluster.name", "network.name"],
  ],
  ["different names", { cluster: { name: "staging" } }, []],
  ["another project", { project: "ours", cluster: { name: "k8sfv" } }, []],
])("reports the names that another stack in the same project has: %s", (_, raw, keys) => {
  const problems = checkStacks(staging(raw), [calicoTest, staging(raw)]);
  expect(problems.map(({ path: key }) => key.join("."))).toEqual(keys);
  for (const { allowed } of problems) {
    expect(allowed).toBe(
      "a name that no other stack of the project calico-test has; Pulumi.calico-test.yaml has it",
    );
  }
});

test.each(["Staging", "a.b", "x".repeat(64)])(
  "rejects the stack name %s, which isn't a label value",
  (name) => {
    expect(checkStacks({ name, raw: {} }, [])).toMatchObject([{ value: name }]);
  },
);

test("returns the stacks that have a file", () => {
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
