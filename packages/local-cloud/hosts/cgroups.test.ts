import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { hostCgroup, removeCgroup } from "./cgroups.ts";
import { openCloud } from "./cloud.ts";

const cloud = openCloud("cgroups");
const ofNode = hostCgroup(cloud, "node-1");

/** Creates directories in place of cgroups, which need root. So these tests don't prove what the kernel accepts. */
async function hierarchies(...dirs: string[]): Promise<string> {
  const base = await mkdtemp(path.join(tmpdir(), "k8sfv-cgroups-"));
  onTestFinished(() => rm(base, { recursive: true }));
  for (const dir of dirs) await mkdir(path.join(base, dir), { recursive: true });
  return base;
}

async function remaining(base: string): Promise<string[]> {
  return (await readdir(base, { recursive: true })).sort();
}

test("removes a host's cgroups from every v1 hierarchy, and no others", async () => {
  const others = [
    "cpu",
    `cpu${hostCgroup(cloud, "node-10")}/a`,
    `cpu${openCloud("cgroups-2").cgroup}/node-1/a`,
  ];
  const base = await hierarchies(...others, `cpu${ofNode}/a/nested`, `memory${ofNode}/b`);
  await removeCgroup(ofNode, base);
  expect(await remaining(base)).toEqual(
    [
      ...["cpu", `cpu${cloud.cgroup}`, `cpu${cloud.cgroup}/node-10`, `cpu${cloud.cgroup}/node-10/a`],
      ...[
        "cpu/k8sfv-cloud-cgroups-2",
        "cpu/k8sfv-cloud-cgroups-2/node-1",
        "cpu/k8sfv-cloud-cgroups-2/node-1/a",
      ],
      ...["memory", `memory${cloud.cgroup}`],
    ].sort(),
  );
});

test("removes a cloud's cgroups from the v2 hierarchy", async () => {
  const base = await hierarchies(`${ofNode}/a`, "system.slice");
  await removeCgroup(cloud.cgroup, base);
  expect(await remaining(base)).toEqual(["system.slice"]);
});

test("does nothing without cgroups", async () => {
  await expect(removeCgroup(cloud.cgroup, "/nonexistent")).resolves.toBeUndefined();
});
