import { isIPv4 } from "node:net";
import { ip2long, long2ip, Netmask } from "netmask";

/**
 * Parses an IPv4 range in CIDR notation, like "10.248.0.0/20".
 *
 * @returns undefined for anything else, also when the address isn't the first one of its range: Google refuses that
 */
export function parseCidr(text: string): Netmask | undefined {
  const [, address = "", prefix] = /^([0-9.]+)\/(0|[1-9][0-9]?)$/.exec(text) ?? [];
  if (!isIPv4(address) || Number(prefix) > 32) return undefined;
  const range = new Netmask(text);
  return range.base === address ? range : undefined;
}

/** Whether two ranges have an address in common: ranges in CIDR notation nest or are apart. */
export function overlap(a: Netmask, b: Netmask): boolean {
  return a.contains(b) || b.contains(a);
}

/**
 * The first and last address of a subnetwork that Google lets anybody use. It keeps the first two (network, gateway)
 * and the last two (one reserved, broadcast): cloud.google.com/vpc/docs/subnets#unusable-ip-addresses.
 */
export function usableInSubnetwork({ base, size }: Netmask): { first: string; last: string } {
  const start = ip2long(base);
  return { first: long2ip(start + 2), last: long2ip(start + size - 3) };
}

/** Whether Google lets an address of a subnetwork be used. */
export function isUsableInSubnetwork(range: Netmask, address: string): boolean {
  const { first, last } = usableInSubnetwork(range);
  return ip2long(first) <= ip2long(address) && ip2long(address) <= ip2long(last);
}
