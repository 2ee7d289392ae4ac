import { isIP } from "node:net";
import { Netmask } from "netmask";
import { parseCidr } from "../config/cidr.ts";

/** Addresses that the internet does not route: RFC 1918, RFC 6598 and the loopback. */
const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8"].map(
  (cidr) => new Netmask(cidr),
);

/**
 * The shortest prefix of public addresses that is still somebody's: a /16 was the usual share of a whole
 * university or company. Anything wider is a part of the internet, and 0.0.0.0/1 with 128.0.0.0/1 all of it.
 */
const WIDEST_PUBLIC_PREFIX = 16;

/** The same for IPv6: what a registry gives a whole provider (RFC 6177 and the registries' policies). */
const WIDEST_IPV6_PREFIX = 32;

/** What is wrong with letting this range in; undefined when nothing is. */
export function tooOpen(cidr: string): string | undefined {
  const range = parse(cidr);
  if (range === undefined) return `${cidr} is no range of addresses`;
  if (cidr.includes(":")) {
    return range.bitmask < WIDEST_IPV6_PREFIX ? `${cidr} is wider than a /${WIDEST_IPV6_PREFIX}` : undefined;
  }
  if (range.bitmask >= WIDEST_PUBLIC_PREFIX || PRIVATE.some((one) => one.contains(range))) return undefined;
  return `${cidr} is wider than a /${WIDEST_PUBLIC_PREFIX} of public addresses`;
}

/** A range, or an address alone. */
function parse(cidr: string): Netmask | undefined {
  if (isIP(cidr) !== 0) return new Netmask(cidr);
  const [, address = "", prefix] = /^([^/]+)\/([0-9]{1,3})$/.exec(cidr) ?? [];
  return isIP(address) === 6 && Number(prefix) <= 128 ? new Netmask(cidr) : parseCidr(cidr);
}
