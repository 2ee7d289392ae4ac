/** An IPv4 CIDR range, e.g. "10.248.0.0/20". */
type Cidr = string;

/**
 * Returns the CIDR ranges that make up `cidr` without the excepted ranges, because iptables rules can't express
 * exceptions.
 */
export function subtractRanges(cidr: Cidr, excepted: Cidr[]): Cidr[] {
  const inside = excepted.filter((other) => overlaps(cidr, other));
  if (inside.length === 0) return [cidr];
  if (inside.some((other) => prefixOf(other) <= prefixOf(cidr))) return [];
  return halves(cidr).flatMap((half) => subtractRanges(half, inside));
}

function overlaps(one: Cidr, other: Cidr): boolean {
  const prefix = Math.min(prefixOf(one), prefixOf(other));
  const size = 2 ** (32 - prefix);
  return Math.floor(firstOf(one) / size) === Math.floor(firstOf(other) / size);
}

function halves(cidr: Cidr): [Cidr, Cidr] {
  const prefix = prefixOf(cidr) + 1;
  const first = firstOf(cidr);
  return [format(first, prefix), format(first + 2 ** (32 - prefix), prefix)];
}

function firstOf(cidr: Cidr): number {
  const octets = (cidr.split("/")[0] ?? "").split(".").map(Number);
  return octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

function prefixOf(cidr: Cidr): number {
  return Number(cidr.split("/")[1] ?? 32);
}

function format(first: number, prefix: number): Cidr {
  return `${[24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join(".")}/${prefix}`;
}
