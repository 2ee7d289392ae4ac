/** A range of IPv4 addresses: numbers from `first` to `last`, both in it. */
export interface Range {
  readonly first: number;
  readonly last: number;
  readonly prefix: number;
}

/** The address as a number, undefined when the text is none. */
export function parseAddress(address: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address);
  const octets = match?.slice(1).map(Number);
  if (octets === undefined || octets.some((octet) => octet > 255)) return undefined;
  return octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

/** The number as an address. */
export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

/** The range that a text like `10.248.0.0/20` names. Undefined when it is none, or an address inside one. */
export function parseRange(cidr: string): Range | undefined {
  const [address = "", prefix = "", ...more] = cidr.split("/");
  const first = parseAddress(address);
  if (first === undefined || !/^\d{1,2}$/.test(prefix) || Number(prefix) > 32 || more.length > 0)
    return undefined;
  const size = 2 ** (32 - Number(prefix));
  if (first % size !== 0) return undefined;
  return { first, last: first + size - 1, prefix: Number(prefix) };
}

/** The range. @throws Error when the text is none */
export function range(cidr: string): Range {
  const parsed = parseRange(cidr);
  if (parsed === undefined) throw new Error(`"${cidr}" is no CIDR range`);
  return parsed;
}

/** Whether the ranges have an address in common. */
export function overlap(a: Range, b: Range): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/** Whether the address is in the range. */
export function contains(outer: Range, address: number): boolean {
  return outer.first <= address && address <= outer.last;
}

/** Whether all of `inner` is in `outer`. */
export function covers(outer: Range, inner: Range): boolean {
  return contains(outer, inner.first) && contains(outer, inner.last);
}

/** The n-th range of that prefix in the range, counted from 0; undefined past its end. */
export function subRange(outer: Range, prefix: number, n: number): string | undefined {
  const size = 2 ** (32 - prefix);
  const first = outer.first + n * size;
  return first + size - 1 <= outer.last ? `${formatAddress(first)}/${prefix}` : undefined;
}
