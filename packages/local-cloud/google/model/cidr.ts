/** A range of IPv4 addresses as numbers, including `first` and `last`. */
export interface Range {
  readonly first: number;
  readonly last: number;
  readonly prefix: number;
}

/** Parses an IPv4 address. Returns undefined for another text. */
export function parseAddress(address: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address);
  const octets = match?.slice(1).map(Number);
  if (octets === undefined || octets.some((octet) => octet > 255)) return undefined;
  return octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

/** Formats a number as an IPv4 address. */
export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

/** Parses a CIDR range such as `10.248.0.0/20`. Returns undefined if it is invalid or has host bits set. */
export function parseRange(cidr: string): Range | undefined {
  const [address = "", prefix = "", ...more] = cidr.split("/");
  const first = parseAddress(address);
  if (first === undefined || !/^\d{1,2}$/.test(prefix) || Number(prefix) > 32 || more.length > 0)
    return undefined;
  const size = 2 ** (32 - Number(prefix));
  if (first % size !== 0) return undefined;
  return { first, last: first + size - 1, prefix: Number(prefix) };
}

/** Parses a CIDR range. @throws Error when it is invalid */
export function range(cidr: string): Range {
  const parsed = parseRange(cidr);
  if (parsed === undefined) throw new Error(`"${cidr}" is not a CIDR range`);
  return parsed;
}

/** Reports whether the ranges overlap. */
export function overlap(a: Range, b: Range): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/** Reports whether the range contains the address. */
export function contains(outer: Range, address: number): boolean {
  return outer.first <= address && address <= outer.last;
}

/** Reports whether `outer` contains all of `inner`. */
export function covers(outer: Range, inner: Range): boolean {
  return contains(outer, inner.first) && contains(outer, inner.last);
}

/** Returns the n-th subrange with that prefix length, counted from 0, or undefined past the end. */
export function subRange(outer: Range, prefix: number, n: number): string | undefined {
  const size = 2 ** (32 - prefix);
  const first = outer.first + n * size;
  return first + size - 1 <= outer.last ? `${formatAddress(first)}/${prefix}` : undefined;
}
