import { maps, optionalText, type Values } from "../../plugin/values.ts";
import type { Data } from "../store.ts";

/** Token of the type whose ranges these are. */
export const subnetworkToken = "gcp:compute/subnetwork:Subnetwork";

/** All ranges of a subnetwork, with the API's name of the field. */
export function ranges(inputs: Values): { field: string; cidr: string }[] {
  const secondary = maps(inputs, "secondaryIpRanges").map((one, n) => ({
    field: `resource.secondaryIpRanges[${n}].ipCidrRange`,
    cidr: optionalText(one, "ipCidrRange") ?? "",
  }));
  return [{ field: "resource.ipCidrRange", cidr: optionalText(inputs, "ipCidrRange") ?? "" }, ...secondary];
}

/** The range of that name among the subnetwork's secondary ranges. */
export function secondaryRange(inputs: Values, name: string): string | undefined {
  const found = maps(inputs, "secondaryIpRanges").find((one) => one["rangeName"] === name);
  return found === undefined ? undefined : optionalText(found, "ipCidrRange");
}

/** All ranges of the network's subnetworks. */
export function subnetworkRanges(data: Data, networkPath: string): string[] {
  return Object.values(data.resources)
    .filter(({ type, uses }) => type === subnetworkToken && uses.includes(networkPath))
    .flatMap(({ inputs }) => ranges(inputs).map(({ cidr }) => cidr));
}
