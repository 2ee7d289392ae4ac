import { maps, optionalText, text, type Values } from "../../plugin/values.ts";
import { invalidField } from "../model/api-error.ts";
import type { Data } from "../model/store.ts";

export const subnetworkToken = "gcp:compute/subnetwork:Subnetwork";

/** Returns a subnetwork's primary and secondary ranges. `field` is the name of the range's field in Google's API. */
export function ranges(inputs: Values): { field: string; cidr: string }[] {
  const secondary = maps(inputs, "secondaryIpRanges").map((one, n) => ({
    field: `resource.secondaryIpRanges[${n}].ipCidrRange`,
    cidr: optionalText(one, "ipCidrRange") ?? "",
  }));
  return [{ field: "resource.ipCidrRange", cidr: optionalText(inputs, "ipCidrRange") ?? "" }, ...secondary];
}

/** Returns the subnetwork's secondary range with that name. */
export function secondaryRange(inputs: Values, name: string): string | undefined {
  const found = maps(inputs, "secondaryIpRanges").find((one) => one["rangeName"] === name);
  return found === undefined ? undefined : optionalText(found, "ipCidrRange");
}

/** Returns all ranges of the network's subnetworks. */
export function subnetworkRanges(data: Data, networkPath: string): string[] {
  return Object.values(data.resources)
    .filter(({ type, uses }) => type === subnetworkToken && uses.includes(networkPath))
    .flatMap(({ inputs }) => ranges(inputs).map(({ cidr }) => cidr));
}

/**
 * Checks a change of secondary ranges like Google: an existing range can't be modified, and ranges can't be
 * added and removed in one change (terraform-provider-google#2570, #7474).
 *
 * @throws ApiError with Google's message
 */
export function checkRangeChange(before: Values, after: Values): void {
  for (const [n, one] of maps(after, "secondaryIpRanges").entries()) {
    const [old, now] = [secondaryRange(before, text(one, "rangeName")), text(one, "ipCidrRange")];
    if (old === undefined || old === now) continue;
    const why = `Existing secondary range cannot be modified: ${now}.`;
    throw invalidField(`resource.secondaryIpRanges[${n}].ipCidrRange`, now, why);
  }
  const [added, removed] = [notIn(before, after), notIn(after, before)];
  if (added.length === 0 || removed.length === 0) return;
  const which = `Added ranges: [${added.join(", ")}]. \nRemoved ranges: [${removed.join(", ")}].`;
  const why = `Cannot add and remove secondary IP ranges in the same request. ${which}`;
  throw invalidField("resource.secondaryIpRanges", "", why);
}

/** Returns the secondary ranges of `these` whose names are missing in `others`. */
function notIn(others: Values, these: Values): string[] {
  return maps(these, "secondaryIpRanges")
    .filter((one) => secondaryRange(others, text(one, "rangeName")) === undefined)
    .map((one) => text(one, "ipCidrRange"));
}
