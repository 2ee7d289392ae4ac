import type { Netmask } from "netmask";
import { parseCidr } from "../../../../lib/cidr.ts";

/** Parses a CIDR range. @throws Error when it is invalid */
export function range(cidr: string): Netmask {
  const parsed = parseCidr(cidr);
  if (parsed === undefined) throw new Error(`"${cidr}" is not a CIDR range`);
  return parsed;
}
