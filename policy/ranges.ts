import { overlap, parseCidr } from "../config/cidr.ts";
import type { Range } from "../config/cidr.ts";

/** Addresses that the internet does not route: RFC 1918, RFC 6598 and the loopback. */
const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8"].map(parse);

/**
 * The shortest prefix of public addresses that is still somebody's: a /16 was the usual share of a whole
 * university or company. Anything wider is a part of the internet, and 0.0.0.0/1 with 128.0.0.0/1 all of it.
 */
const WIDEST_PUBLIC_PREFIX = 16;

/** The same for IPv6: what a registry gives a whole provider (RFC 6177 and the registries' policies). */
const WIDEST_IPV6_PREFIX = 32;

/** What is wrong with letting this range in; undefined when nothing is. */
export function tooOpen(cidr: string): string | undefined {
  const width = Number(/\/([0-9]+)$/.exec(cidr)?.[1] ?? (cidr.includes(":") ? 128 : 32));
  if (cidr.includes(":")) {
    return width < WIDEST_IPV6_PREFIX ? `${cidr} is wider than a /${WIDEST_IPV6_PREFIX}` : undefined;
  }
  const range = parseCidr(cidr.includes("/") ? cidr : `${cidr}/32`);
  if (range === undefined) return `${cidr} is no range of addresses`;
  if (width >= WIDEST_PUBLIC_PREFIX || PRIVATE.some((one) => within(range, one))) return undefined;
  return `${cidr} is wider than a /${WIDEST_PUBLIC_PREFIX} of public addresses`;
}

function within(range: Range, whole: Range): boolean {
  return overlap(range, whole) && range.prefix >= whole.prefix;
}

function parse(cidr: string): Range {
  const range = parseCidr(cidr);
  if (range === undefined) throw new Error(`${cidr} is no range`);
  return range;
}
