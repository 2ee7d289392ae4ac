import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { Values } from "../plugin/values.ts";
import { change, cloudWithNetwork, drop, made, make, testCloud, tokens, type TestCloud } from "./testing.ts";

const zone = "us-central1-f";
const disk = { name: "prometheus", type: "pd-balanced", size: 200 };
const node = "gke-k8sfv-nodes-1";

function folder(cloud: TestCloud, name: string, inZone = zone): string {
  return path.join(cloud.dir, "disks", inZone, name);
}

async function read(cloud: TestCloud, type: keyof typeof tokens, id: string): Promise<Values | undefined> {
  const found = await cloud.provider.read({ type: tokens[type], name: "one", id, inputs: {}, state: {} });
  return found?.state;
}

test.each([
  [{ size: 9 }, "'resource.sizeGb': '9'. Disk size cannot be smaller than 10 GB., invalid"],
  [{ size: 70_000 }, "expected size to be in the range (1 - 65536), got 70000"],
  [{ type: "floppy" }, "zones/us-central1-f/diskTypes/floppy' was not found, notFound"],
  [{ snapshot: "absent" }, "'projects/calico-test/global/snapshots/absent' was not found"],
  [
    { name: "x".repeat(49), createSnapshotBeforeDestroy: true },
    "Your disk name is too long to perform this action. The max is 48 characters.",
  ],
] as [Values, string][])("rejects a disk with %j", async (inputs, words) => {
  await expect(make(testCloud(), "Disk", { ...disk, ...inputs })).rejects.toThrow(words);
});

test("allows disks with the same name in two zones", async () => {
  const cloud = testCloud();
  const here = await make(cloud, "Disk", disk);
  await make(cloud, "Disk", { ...disk, zone: "us-east1-b" });
  await drop(cloud, "Disk", here);
  expect(existsSync(folder(cloud, "prometheus"))).toBe(false);
  expect(existsSync(folder(cloud, "prometheus", "us-east1-b"))).toBe(true);
});

test("returns a disk's node, and detaches the disk before its deletion like the real provider", async () => {
  const cloud = testCloud();
  const made = await make(cloud, "Disk", disk);
  expect(made.state["users"]).toEqual([]);
  cloud.held.disks.set(`${zone}/prometheus`, node);
  expect((await read(cloud, "Disk", made.id))?.["users"]).toEqual([
    `https://www.googleapis.com/compute/v1/projects/calico-test/zones/${zone}/instances/${node}`,
  ]);
  await drop(cloud, "Disk", made);
  expect(cloud.held.disks.size).toBe(0);
  expect(existsSync(folder(cloud, "prometheus"))).toBe(false);
});

test("restores a disk from a snapshot", async () => {
  const cloud = testCloud();
  const source = await make(cloud, "Disk", disk);
  writeFileSync(path.join(folder(cloud, "prometheus"), "block"), "old runs");
  const snapshot = await make(cloud, "Snapshot", { name: "before", sourceDisk: source.state["selfLink"] });
  expect(snapshot.state).toMatchObject({ diskSizeGb: 200, storageLocations: ["us-central1"] });
  await drop(cloud, "Disk", source);

  const from = { ...disk, name: "restored", snapshot: snapshot.state["selfLink"] };
  await expect(make(cloud, "Disk", { ...from, size: 100 })).rejects.toThrow(
    "Requested disk size cannot be smaller than the snapshot size (200 GB)",
  );
  const restored = await make(cloud, "Disk", { ...from, size: undefined });
  expect(restored.state).toMatchObject({ size: 200, sourceSnapshotId: snapshot.state["snapshotId"] });
  expect(readFileSync(path.join(folder(cloud, "restored"), "block"), "utf8")).toBe("old runs");
  await drop(cloud, "Snapshot", snapshot);
  expect(made(cloud)).toEqual([restored.id]);
});

test("rejects a snapshot of a missing disk", async () => {
  await expect(make(testCloud(), "Snapshot", { name: "s", sourceDisk: "absent" })).rejects.toThrow(
    `'projects/calico-test/zones/${zone}/disks/absent' was not found`,
  );
});

test("creates a snapshot before a disk's deletion if requested", async () => {
  const cloud = testCloud();
  const last = await make(cloud, "Disk", { ...disk, createSnapshotBeforeDestroy: true });
  writeFileSync(path.join(folder(cloud, "prometheus"), "block"), "old runs");
  await drop(cloud, "Disk", last);
  const [left = ""] = made(cloud);
  expect(left).toMatch(/^projects\/calico-test\/global\/snapshots\/prometheus-\d{8}-\d{6}$/);
  const restored = await make(cloud, "Disk", { ...disk, snapshot: left });
  expect(readFileSync(path.join(folder(cloud, "prometheus"), "block"), "utf8")).toBe("old runs");
  expect((await change(cloud, "Disk", restored, disk)).replace).toEqual(["snapshot"]);
});

test("copies a disk again after an interrupted copy to a snapshot", async () => {
  const cloud = testCloud();
  const source = await make(cloud, "Disk", disk);
  writeFileSync(path.join(folder(cloud, "prometheus"), "block"), "old runs");
  mkdirSync(path.join(cloud.dir, "snapshots", "before.new"), { recursive: true });
  writeFileSync(path.join(cloud.dir, "snapshots", "before.new", "half"), "");
  await make(cloud, "Snapshot", { name: "before", sourceDisk: source.id });
  expect(existsSync(path.join(cloud.dir, "snapshots", "before", "half"))).toBe(false);
  expect(existsSync(path.join(cloud.dir, "snapshots", "before", "block"))).toBe(true);
});

const daily = (schedule: Values, retention?: Values) => ({
  name: "daily",
  snapshotSchedulePolicy: { schedule, retentionPolicy: retention },
});
const noon = { dailySchedule: { daysInCycle: 1, startTime: "12:00" } };

test("returns a disk's snapshot schedule and rejects the schedule's deletion while it is attached", async () => {
  const cloud = testCloud();
  const source = await make(cloud, "Disk", disk);
  const policy = await make(cloud, "ResourcePolicy", daily(noon, { maxRetentionDays: 14 }));
  await make(cloud, "DiskResourcePolicyAttachment", { name: "daily", disk: "prometheus" });
  expect((await read(cloud, "Disk", source.id))?.["resourcePolicies"]).toEqual([policy.state["selfLink"]]);
  await expect(drop(cloud, "ResourcePolicy", policy)).rejects.toThrow(
    `The resource_policy resource '${policy.id}' is already being used by '${source.id}'`,
  );
  const other = { ...daily(noon), name: "other" };
  await make(cloud, "ResourcePolicy", other);
  await expect(
    make(cloud, "DiskResourcePolicyAttachment", { name: "other", disk: "prometheus" }),
  ).rejects.toThrow("A disk can have at most one resource policy");
});

test.each([
  [{}, undefined, "must be specified"],
  [{ ...noon, weeklySchedule: {} }, undefined, "can be specified, but"],
  [{ weeklySchedule: { dayOfWeeks: [] } }, undefined, "Attribute requires 1 item minimum"],
  [{ dailySchedule: { daysInCycle: 2, startTime: "12:00" } }, undefined, "days_in_cycle must be 1"],
  [
    { dailySchedule: { daysInCycle: 1, startTime: "12:30" } },
    undefined,
    'daily_schedule.0.start_time" does not allow minutes, it must be in the format HH:00, got: 12:30',
  ],
  [{ dailySchedule: { daysInCycle: 1, startTime: "24:00" } }, undefined, "does not specify a valid hour"],
  [{ dailySchedule: { daysInCycle: 1, startTime: "noon" } }, undefined, "must be in the format HH:00"],
  [{ hourlySchedule: { hoursInCycle: 24, startTime: "00:00" } }, undefined, "in the range (1 - 23), got 24"],
  [
    { weeklySchedule: { dayOfWeeks: [{ day: "SOON", startTime: "00:00" }] } },
    undefined,
    'day_of_weeks.0.day to be one of ["MONDAY"',
  ],
  [noon, { maxRetentionDays: 0 }, "max_retention_days to be at least (1), got 0"],
  [noon, { maxRetentionDays: 14, onSourceDiskDelete: "FORGET" }, '"APPLY_RETENTION_POLICY"], got FORGET'],
] as [Values, Values | undefined, string][])("rejects the schedule %j, %j", async (schedule, keep, words) => {
  await expect(make(testCloud(), "ResourcePolicy", daily(schedule, keep))).rejects.toThrow(words);
});

test("rejects the deletion of an address that a Service uses", async () => {
  const { cloud } = await cloudWithNetwork();
  const gateway = { name: "gw", addressType: "INTERNAL", subnetwork: "k8sfv", address: "10.248.1.4" };
  const address = await make(cloud, "Address", gateway);
  expect(address.state["users"]).toEqual([]);
  cloud.held.addresses.set("10.248.1.4", "monitoring/prom-gateway");
  const rule = "projects/calico-test/regions/us-central1/forwardingRules/k8s2-tcp-monitoring-prom-gateway";
  expect((await read(cloud, "Address", address.id))?.["users"]).toEqual([
    `https://www.googleapis.com/compute/v1/${rule}`,
  ]);
  await expect(drop(cloud, "Address", address)).rejects.toThrow(
    `Error deleting Address: googleapi: Error 400: The address resource '${address.id}' is already being used by '${rule}', resourceInUseByAnotherResource`,
  );
  cloud.held.addresses.clear();
  await drop(cloud, "Address", address);
});
