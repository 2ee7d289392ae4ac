import { maps, optionalText, type Values } from "../plugin/values.ts";
import { ApiError } from "./api-error.ts";
import { contains, formatAddress, overlap, parseAddress, range, subRange, type Range } from "./cidr.ts";
import type { Data } from "./store.ts";

/** A machine in a subnetwork, as a cluster or node pool remembers it. */
export interface Machine {
  readonly name: string;
  readonly address: string;
  /** Of nodes: the range of its pods. */
  readonly podCidr?: string;
}

/** Size of a node's pod range: GKE's default of at most 110 pods a node makes it a /24. */
const podPrefix = 24;

/** The machines that a resource remembers. */
export function machinesOf(inner: Values): Machine[] {
  return maps(inner, "machines").map((machine) => ({
    name: optionalText(machine, "name") ?? "",
    address: optionalText(machine, "address") ?? "",
    podCidr: optionalText(machine, "podCidr"),
  }));
}

/** Whether Google keeps the address for itself: the first two of a range and the last two. */
export function isReserved(primary: Range, address: number): boolean {
  return address <= primary.first + 1 || address >= primary.last - 1;
}

/** The CI machine's address: the last that Google gives out. The machines' side reckons it the same way. */
function ciAddress(primary: Range): number {
  return primary.last - 2;
}

/** Who has the address in that subnetwork; undefined when it is free. */
export function addressUser(
  data: Data,
  subnetworkPath: string,
  primary: Range,
  address: number,
): string | undefined {
  if (address === ciAddress(primary)) return "the CI machine of the local cloud";
  const text = formatAddress(address);
  for (const [path, { inner, outputs }] of Object.entries(data.resources)) {
    if (inner["subnetwork"] !== subnetworkPath) continue;
    if (outputs["address"] === text || machinesOf(inner).some((machine) => machine.address === text))
      return path;
  }
  return undefined;
}

/** Free addresses of the subnetwork, from the lowest on. @throws ApiError when it has not as many */
export function freeAddresses(data: Data, subnetworkPath: string, primary: Range, count: number): string[] {
  const taken = new Set<number>([ciAddress(primary)]);
  for (const { inner, outputs } of Object.values(data.resources)) {
    if (inner["subnetwork"] !== subnetworkPath) continue;
    const addresses = machinesOf(inner).map((machine) => machine.address);
    for (const address of [...addresses, optionalText(outputs, "address") ?? ""]) {
      taken.add(parseAddress(address) ?? 0);
    }
  }
  const free: string[] = [];
  for (let address = primary.first; address <= primary.last && free.length < count; address += 1) {
    if (!isReserved(primary, address) && !taken.has(address)) free.push(formatAddress(address));
  }
  if (free.length < count) throw exhausted(subnetworkPath, primary);
  return free;
}

/** Free pod ranges, from the lowest on. @throws ApiError when the cluster's range has not as many */
export function freePodRanges(data: Data, subnetworkPath: string, podCidr: string, count: number): string[] {
  const taken = Object.values(data.resources)
    .filter(({ inner }) => inner["subnetwork"] === subnetworkPath)
    .flatMap(({ inner }) => machinesOf(inner).flatMap((machine) => machine.podCidr ?? []))
    .map(range);
  const free: string[] = [];
  const all = range(podCidr);
  for (let n = 0; free.length < count; n += 1) {
    const next = subRange(all, podPrefix, n);
    if (next === undefined) throw exhausted(subnetworkPath, all);
    if (!taken.some((one) => overlap(one, range(next)))) free.push(next);
  }
  return free;
}

function exhausted(path: string, { first, prefix }: Range): ApiError {
  const text = `IP space of '${path}' is exhausted. Insufficient free IP addresses in the IP range '${formatAddress(first)}/${prefix}'. Consider expanding the current IP range or selecting an alternative IP range.`;
  return new ApiError(400, text, "IP_SPACE_EXHAUSTED_WITH_DETAILS");
}

/** Refuses an address that can't be reserved in the subnetwork. @throws ApiError */
export function refuseAddress(data: Data, subnetworkPath: string, primary: Range, address: string): void {
  const number = parseAddress(address) ?? 0;
  const field = `Invalid value for field 'resource.address': '${address}'.`;
  if (!contains(primary, number)) {
    throw new ApiError(
      400,
      `${field} Requested internal IP address is outside the subnetwork CIDR range.`,
      "invalid",
    );
  }
  if (isReserved(primary, number)) {
    throw new ApiError(
      400,
      `${field} Requested internal IP address is a reserved address of the subnetwork.`,
      "invalid",
    );
  }
  const user = addressUser(data, subnetworkPath, primary, number);
  if (user === undefined) return;
  const by = `It is used by '${user}'.`;
  throw new ApiError(
    400,
    `${field} Specified IP address is in-use and would result in a conflict. ${by}`,
    "invalid",
  );
}
