import { text, type Value, type Values } from "../../plugin/values.ts";
import { ApiError } from "../model/api-error.ts";
import { atLeast, between, checkName, notEmulated, oneOf, show } from "../model/checks.ts";
import { lastPart, pathOf, selfLink, type Place } from "../model/place.ts";
import type { ResourceType } from "../model/resource-type.ts";
import type { Location } from "../../plugin/schema/validate.ts";
import type { Data } from "../model/store.ts";

const days = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];
const attachmentToken = "gcp:compute/diskResourcePolicyAttachment:DiskResourcePolicyAttachment";

/** A snapshot schedule. Validated, stored and returned; it does not create snapshots. */
export const resourcePolicy: ResourceType = {
  token: "gcp:compute/resourcePolicy:ResourcePolicy",
  title: "ResourcePolicy",
  kind: "resource_policy",
  scope: "region",
  api: "compute.googleapis.com",
  checks: {
    name: checkName,
    "snapshotSchedulePolicy.schedule.dailySchedule.daysInCycle": checkCycle,
    "snapshotSchedulePolicy.schedule.dailySchedule.startTime": checkHour,
    "snapshotSchedulePolicy.schedule.hourlySchedule.hoursInCycle": between(1, 23),
    "snapshotSchedulePolicy.schedule.hourlySchedule.startTime": checkHour,
    "snapshotSchedulePolicy.schedule.weeklySchedule.dayOfWeeks.day": oneOf(...days),
    "snapshotSchedulePolicy.schedule.weeklySchedule.dayOfWeeks.startTime": checkHour,
    "snapshotSchedulePolicy.retentionPolicy.maxRetentionDays": atLeast(1),
    "snapshotSchedulePolicy.retentionPolicy.onSourceDiskDelete": oneOf(
      "KEEP_AUTO_SNAPSHOTS",
      "APPLY_RETENTION_POLICY",
    ),
    ...notEmulated(
      "diskConsistencyGroupPolicy",
      "groupPlacementPolicy",
      "instanceSchedulePolicy",
      "workloadPolicy",
    ),
  },
  path: (inputs, { project, region }) => policyPath(project, region, text(inputs, "name")),
  admit: ({ path: own }) => ({ outputs: { selfLink: selfLink(own) } }),
};

function policyPath(project: string, region: string, name: string): string {
  return `projects/${project}/regions/${region}/resourcePolicies/${name}`;
}

/** Returns the paths of the disk's resource policies. */
export function policiesOf(data: Data, diskPath: string): string[] {
  return Object.values(data.resources)
    .filter(({ type, parent }) => type === attachmentToken && parent === diskPath)
    .flatMap(({ uses }) => uses);
}

/** Attaches a resource policy to a disk. */
export const diskResourcePolicyAttachment: ResourceType = {
  token: attachmentToken,
  title: "DiskResourcePolicyAttachment",
  kind: "disk",
  scope: "zone",
  api: "compute.googleapis.com",
  // The program must set the attachment's name, because it is the name of the attached resource policy.
  checks: { name: checkName },
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

/** Checks that a snapshot schedule runs every day. Google allows cycles of several days only for other schedules. */
function checkCycle(value: Value): string | undefined {
  return value === 1 ? undefined : "days_in_cycle must be 1 for a snapshot schedule policy";
}

/** Checks that the start time is a full hour, as the provider does. */
function checkHour(value: Value, { terraform }: Location): string | undefined {
  const [hour = "", minutes, ...more] = show(value).split(":");
  if (minutes === undefined || more.length > 0) {
    return `"${terraform}" must be in the format HH:00, got: ${show(value)}`;
  }
  if (minutes !== "00") {
    return `"${terraform}" does not allow minutes, it must be in the format HH:00, got: ${show(value)}`;
  }
  if (!/^\d{1,2}$/.test(hour) || Number(hour) > 23) {
    return `"${terraform}" does not specify a valid hour, it must be in the format HH:00 where HH : [00-23], got: ${show(value)}`;
  }
  return undefined;
}
