import {
  isValues,
  map,
  maps,
  number,
  optionalText,
  text,
  type Value,
  type Values,
} from "../../plugin/values.ts";
import { ApiError } from "../api-error.ts";
import { atLeast, between, checkName, oneOf, sameReference } from "../arguments.ts";
import { lastPart, pathOf, selfLink, type Place } from "../place.ts";
import type { ResourceType } from "../resource-type.ts";
import type { Data } from "../store.ts";

const attachmentToken = "gcp:compute/diskResourcePolicyAttachment:DiskResourcePolicyAttachment";

/** A schedule of snapshots. Kept, checked and answered; no snapshot is ever made by it. */
export const resourcePolicy: ResourceType = {
  token: "gcp:compute/resourcePolicy:ResourcePolicy",
  title: "ResourcePolicy",
  kind: "resource_policy",
  scope: "region",
  api: "compute.googleapis.com",
  autoNamed: true,
  arguments: {
    name: { change: "replace", check: checkName },
    description: {},
    region: { change: "replace", same: sameReference },
    snapshotSchedulePolicy: { check: checkPolicy },
    project: { change: "replace" },
  },
  computed: ["selfLink"],
  path: (inputs, { project, region }) => policyPath(project, region, text(inputs, "name")),
  admit: ({ path: own }) => ({ outputs: { selfLink: selfLink(own) } }),
};

function policyPath(project: string, region: string, name: string): string {
  return `projects/${project}/regions/${region}/resourcePolicies/${name}`;
}

/** Paths of the policies that the disk is under. */
export function policiesOf(data: Data, diskPath: string): string[] {
  return Object.values(data.resources)
    .filter(({ type, parent }) => type === attachmentToken && parent === diskPath)
    .flatMap(({ uses }) => uses);
}

/** Puts a disk under a schedule. */
export const diskResourcePolicyAttachment: ResourceType = {
  token: attachmentToken,
  title: "DiskResourcePolicyAttachment",
  kind: "disk",
  scope: "zone",
  api: "compute.googleapis.com",
  autoNamed: true,
  arguments: {
    // The name is the policy's, so it is never made up in practice.
    name: { change: "replace", check: checkName },
    disk: { required: true, change: "replace", same: sameReference },
    zone: { change: "replace", same: sameReference },
    project: { change: "replace" },
  },
  computed: [],
  path: (inputs, { project, zone }) =>
    `${project}/${zone}/${lastPart(text(inputs, "disk"))}/${text(inputs, "name")}`,
  uses: (inputs, { project, region }) => [policyPath(project, region, text(inputs, "name"))],
  parent: diskPath,
  admit: ({ path: own, inputs, place, data }) => {
    const disk = diskPath(inputs, place);
    const other = Object.entries(data.resources).find(
      ([path, { type, parent }]) => type === attachmentToken && parent === disk && path !== own,
    );
    if (other === undefined) return { outputs: {} };
    const why = `A disk can have at most one resource policy; '${disk}' has '${lastPart(other[0])}'`;
    throw new ApiError(400, why, "invalid");
  },
};

function diskPath(inputs: Values, place: Place): string {
  return pathOf(text(inputs, "disk"), "disks", "zone", place);
}

const days = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];

/** What is wrong with a schedule of snapshots. */
function checkPolicy(value: Value): string | undefined {
  const policy = isValues(value) ? value : {};
  const schedule = map(policy, "schedule");
  const kinds = ["dailySchedule", "hourlySchedule", "weeklySchedule"];
  if (kinds.filter((kind) => schedule[kind] !== undefined).length !== 1) {
    return `"snapshot_schedule_policy.0.schedule": one of \`${kinds.join(",")}\` must be specified`;
  }
  return checkTimes(schedule) ?? checkKeeping(policy["retentionPolicy"]);
}

function checkTimes(schedule: Values): string | undefined {
  const { dailySchedule: daily, hourlySchedule: hourly } = schedule;
  if (isValues(daily)) {
    // Google's rule for snapshots; other schedules may take longer turns.
    const everyDay = number(daily, "daysInCycle") === 1;
    return everyDay ? checkHour(daily) : "days_in_cycle must be 1 for a snapshot schedule policy";
  }
  if (isValues(hourly)) {
    return between(1, 23)(hourly["hoursInCycle"] ?? "", "hours_in_cycle") ?? checkHour(hourly);
  }
  return maps(map(schedule, "weeklySchedule"), "dayOfWeeks")
    .map((day) => oneOf(...days)(day["day"] ?? "", "day") ?? checkHour(day))
    .find((wrong) => wrong !== undefined);
}

/** The real provider's rule: full hours only. */
function checkHour(schedule: Values): string | undefined {
  const time = optionalText(schedule, "startTime");
  if (time === undefined) return 'Missing required argument: "start_time"';
  const [hour = "", minutes, ...more] = time.split(":");
  if (minutes === undefined || more.length > 0) {
    return `"start_time" must be in the format HH:00, got: ${time}`;
  }
  if (minutes !== "00") {
    return `"start_time" does not allow minutes, it must be in the format HH:00, got: ${time}`;
  }
  if (!/^\d{1,2}$/.test(hour) || Number(hour) > 23) {
    return `"start_time" does not specify a valid hour, it must be in the format HH:00 where HH : [00-23], got: ${time}`;
  }
  return undefined;
}

function checkKeeping(value: Value | undefined): string | undefined {
  if (!isValues(value)) return undefined;
  const after = value["onSourceDiskDelete"] ?? "KEEP_AUTO_SNAPSHOTS";
  return (
    atLeast(1)(value["maxRetentionDays"] ?? "", "max_retention_days") ??
    oneOf("KEEP_AUTO_SNAPSHOTS", "APPLY_RETENTION_POLICY")(after, "on_source_disk_delete")
  );
}
