import { invalidField } from "../api-error.ts";
import { overlap, range } from "../cidr.ts";
import { lastPart, regionOf } from "../place.ts";
import type { Data } from "../store.ts";
import { autoModeRange, isAutoMode, isInAutoMode } from "./auto-mode.ts";
import { peeringsOf } from "./network-peering.ts";
import { ranges, subnetworkToken } from "./subnetwork-ranges.ts";

/** A range that somebody wants in a network. */
interface WantedRange {
  /** The API's name of the field that holds it, e.g. `resource.ipCidrRange`. */
  readonly field: string;
  readonly cidr: string;
  /** Path of the subnetwork that may have it already: the one that asks. */
  readonly but?: string;
}

/**
 * Refuses a range that the network, or one that is peered with it, uses otherwise.
 *
 * @throws ApiError in Google's words
 */
export function refuseRange(data: Data, networkPath: string, wanted: WantedRange): void {
  const { field, cidr, but } = wanted;
  refuseAutoMode(data, networkPath, wanted);
  for (const [path, { type, uses, inputs }] of Object.entries(data.resources)) {
    if (type !== subnetworkToken || path === but || !uses.includes(networkPath)) continue;
    if (!ranges(inputs).some((taken) => overlap(range(cidr), range(taken.cidr)))) continue;
    const region = regionOf(path.split("/")[3] ?? "");
    const where = `conflicts with existing subnetwork '${lastPart(path)}' in region '${region}'.`;
    throw invalidField(field, cidr, `Invalid IPCidrRange: ${cidr} ${where}`);
  }
}

/** A network in auto mode keeps a range for itself, also from the networks that are peered with it. */
function refuseAutoMode(data: Data, networkPath: string, { field, cidr }: WantedRange): void {
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
