import { ip2long, long2ip, Netmask } from "netmask";

/** Ranges that are not routed on the internet: RFC 1918, RFC 6598 (shared address space) and RFC 1122 (loopback). */
const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8"].map(
  (range) => new Netmask(range),
);

/** Reports whether a range or an address is in a private range. */
export function isPrivate(range: Netmask | string): boolean {
  return PRIVATE.some((one) => one.contains(range));
}

/**
 * Returns the first and the last usable address of a subnetwork. Google Cloud reserves the first two (network and
 * gateway) and the last two (one for future use, broadcast): cloud.google.com/vpc/docs/subnets#unusable-ip-addresses.
 */
export function usableInSubnetwork({ base, size }: Netmask): { first: string; last: string } {
  const start = ip2long(base);
  return { first: long2ip(start + 2), last: long2ip(start + size - 3) };
}

export function isUsableInSubnetwork(range: Netmask, address: string): boolean {
  const { first, last } = usableInSubnetwork(range);
  return ip2long(first) <= ip2long(address) && ip2long(address) <= ip2long(last);
}
