import { isIPv4 } from "node:net";
import { Netmask } from "netmask";

/**
 * Parses an IPv4 range in CIDR notation, e.g. "10.248.0.0/20".
 *
 * @returns undefined for other strings, and for an address that isn't the first of its range, because Google Cloud
 * rejects it
 */
export function parseCidr(text: string): Netmask | undefined {
  const [, address = "", prefix] = /^([0-9.]+)\/(0|[1-9][0-9]?)$/.exec(text) ?? [];
  if (!isIPv4(address) || Number(prefix) > 32) return undefined;
  const range = new Netmask(text);
  return range.base === address ? range : undefined;
}

/** Reports whether two ranges have an address in common. CIDR ranges are nested or disjoint. */
export function overlap(a: Netmask, b: Netmask): boolean {
  return a.contains(b) || b.contains(a);
}
