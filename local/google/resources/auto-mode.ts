import { overlap, range } from "../cidr.ts";
import type { Data } from "../store.ts";

/**
 * The range in which Google makes the subnetworks of every network in auto mode
 * (cloud.google.com/vpc/docs/vpc#auto-mode-considerations).
 */
export const autoModeRange = "10.128.0.0/9";

/** Whether the network is in auto mode: Google makes a subnetwork in each region of it. */
export function isAutoMode(data: Data, networkPath: string): boolean {
  return data.resources[networkPath]?.inputs["autoCreateSubnetworks"] === true;
}

/** Whether a range has addresses that networks in auto mode keep for themselves. */
export function isInAutoMode(cidr: string): boolean {
  return overlap(range(cidr), range(autoModeRange));
}
