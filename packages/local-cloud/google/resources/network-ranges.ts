import { overlap } from "../../../../lib/cidr.ts";
import { invalidField } from "../model/api-error.ts";
import { range } from "../model/cidr.ts";
import { lastPart, regionOf } from "../model/place.ts";
import type { Data } from "../model/store.ts";
import { autoModeRange, isAutoMode, isInAutoMode } from "./auto-mode.ts";
import { peeringsOf } from "./network-peering.ts";
import { ranges, subnetworkToken } from "./subnetwork-ranges.ts";

/** A range requested in a network. */
interface WantedRange {
  /** API field that contains the range, e.g. `resource.ipCidrRange`. */
  readonly field: string;
  readonly cidr: string;
  /** Path of the subnetwork that requests the range. Its existing ranges are ignored. */
  readonly but?: string;
}

/**
 * Checks that the range doesn't overlap with the network's other subnetworks, nor with the auto mode range if the
 * network or a peer is in auto mode.
 *
 * @throws ApiError with Google's message
 */
export function checkRangeAvailable(data: Data, networkPath: string, wanted: WantedRange): void {
  const { field, cidr, but } = wanted;
  checkAutoMode(data, networkPath, wanted);
  for (const [path, { type, uses, inputs }] of Object.entries(data.resources)) {
    if (type !== subnetworkToken || path === but || !uses.includes(networkPath)) continue;
    if (!ranges(inputs).some((taken) => overlap(range(cidr), range(taken.cidr)))) continue;
    const region = regionOf(path.split("/")[3] ?? "");
    const where = `conflicts with existing subnetwork '${lastPart(path)}' in region '${region}'.`;
    throw invalidField(field, cidr, `Invalid IPCidrRange: ${cidr} ${where}`);
  }
}

/** Rejects a range that overlaps with the auto mode range if the network or a peer is in auto mode. @throws ApiError */
function checkAutoMode(data: Data, networkPath: string, { field, cidr }: WantedRange): void {
  if (!isInAutoMode(cidr)) return;
  if (isAutoMode(data, networkPath)) {
    const why = `Extended subnetworks in auto subnet mode networks cannot overlap with ${autoModeRange}.`;
    throw invalidField(field, cidr, why);
  }
  const peering = peeringsOf(data, networkPath).find(({ peer }) => isAutoMode(data, peer));
  if (peering === undefined) return;
  const where = `conflicts with peer network in active peering '${peering.name}'.`;
  throw invalidField(field, cidr, `Invalid IPCidrRange: ${cidr} ${where}`);
}
