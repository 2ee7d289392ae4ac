import { isIP } from "node:net";
import { Netmask } from "netmask";
import { isPrivate } from "../config/cidr.ts";
import { parseCidr } from "../lib/cidr.ts";

/**
 * Shortest allowed prefix of public IPv4 ranges. A /16 was the usual allocation of a whole university or company; a
 * wider range contains the addresses of many organizations.
 */
const WIDEST_PUBLIC_PREFIX = 16;

/**
 * Shortest allowed prefix of IPv6 ranges. A /32 is the usual allocation of a whole internet provider.
 */
const WIDEST_IPV6_PREFIX = 32;

/** Returns why a range is not admitted: it is not an IP range, or is too wide. Undefined if it is admitted. */
export function tooOpen(cidr: string): string | undefined {
  const range = parse(cidr);
  if (range === undefined) return `${cidr} is not an IP range`;
  if (cidr.includes(":")) {
    return range.bitmask < WIDEST_IPV6_PREFIX ? `${cidr} is wider than a /${WIDEST_IPV6_PREFIX}` : undefined;
  }
  if (range.bitmask >= WIDEST_PUBLIC_PREFIX || isPrivate(range)) return undefined;
  return `${cidr} is wider than a /${WIDEST_PUBLIC_PREFIX} of public addresses`;
}

/** Parses a range or a single address. */
function parse(cidr: string): Netmask | undefined {
  if (isIP(cidr) !== 0) return new Netmask(cidr);
  const [, address = "", prefix] = /^([^/]+)\/([0-9]{1,3})$/.exec(cidr) ?? [];
  return isIP(address) === 6 && Number(prefix) <= 128 ? new Netmask(cidr) : parseCidr(cidr);
}
