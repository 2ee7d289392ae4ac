/** A range of IPv4 addresses: first and last as whole numbers, both inside. */
export interface Range {
  /** The first address. */
  first: number;
  /** The last address. */
  last: number;
  /** Length of the prefix, 0 to 32. */
  prefix: number;
}

/** The number of an IPv4 address in dotted form, or undefined if it isn't one. */
export function parseAddress(text: string): number | undefined {
  const parts = text.split(".");
  if (
    parts.length !== 4 ||
    !parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255)
  ) {
    return undefined;
  }
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** An address in dotted form; the inverse of `parseAddress`. */
export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

/**
 * The range that e.g. "10.248.0.0/20" means; undefined if it is no range, also if bits after the prefix
 * are set ("10.248.1.0/20"), as Google refuses that.
 */
export function parseCidr(text: string): Range | undefined {
  const match = /^([0-9.]+)\/(0|[1-9][0-9]?)$/.exec(text);
  const first = match?.[1] === undefined ? undefined : parseAddress(match[1]);
  const prefix = Number(match?.[2]);
  if (first === undefined || prefix > 32 || first % size(prefix) !== 0) return undefined;
  return { first, last: first + size(prefix) - 1, prefix };
}

/** How many addresses a prefix of this length has. */
export function size(prefix: number): number {
  return 2 ** (32 - prefix);
}

/** Whether two ranges have an address in common. */
export function overlap(a: Range, b: Range): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/** Whether the address lies in the range. */
export function contains(range: Range, address: number): boolean {
  return range.first <= address && address <= range.last;
}

/**
 * Whether Google lets an address of a subnetwork be used: not the first two (network, gateway) nor the
 * last two (one for Google's future, broadcast); cloud.google.com/vpc/docs/subnets#unusable-ip-addresses.
 */
export function usableInSubnetwork(range: Range, address: number): boolean {
  return range.first + 2 <= address && address <= range.last - 2;
}
