import { overlap } from "../../../../lib/cidr.ts";
import { range } from "../model/cidr.ts";
import type { Data } from "../model/store.ts";

/**
 * Range that contains the automatic subnetworks of every auto mode network
 * (cloud.google.com/vpc/docs/vpc#auto-mode-considerations).
 */
export const autoModeRange = "10.128.0.0/9";

/** Reports whether the network is in auto mode, in which Google creates a subnetwork in each region. */
export function isAutoMode(data: Data, networkPath: string): boolean {
  return data.resources[networkPath]?.inputs["autoCreateSubnetworks"] === true;
}

/** Reports whether a range overlaps with the auto mode range. */
export function isInAutoMode(cidr: string): boolean {
  return overlap(range(cidr), range(autoModeRange));
}
