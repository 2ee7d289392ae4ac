import { maps, optionalText, type Values } from "../../plugin/values.ts";
import { ApiError } from "./api-error.ts";
import { contains, formatAddress, overlap, parseAddress, range, subRange, type Range } from "./cidr.ts";
import type { Data } from "./store.ts";

/** Addresses of a control plane or node, as stored with its cluster or node pool. */
export interface Host {
  readonly name: string;
  readonly address: string;
  /** Pod range of a node. */
  readonly podCidr?: string;
}

/** Prefix length of a node's pod range: /24 for GKE's default of 110 pods per node. */
const podPrefix = 24;

/** Returns the hosts stored with a resource. */
export function hostsOf(inner: Values): Host[] {
  return maps(inner, "machines").map((machine) => ({
    name: optionalText(machine, "name") ?? "",
    address: optionalText(machine, "address") ?? "",
    podCidr: optionalText(machine, "podCidr"),
  }));
}

/** Reports whether Google reserves the address: the first two and the last two of a primary range. */
export function isReserved(primary: Range, address: number): boolean {
  return address <= primary.first + 1 || address >= primary.last - 1;
}

/** Returns the CI host's address, the last usable one, as packages/local-cloud/hosts/network.ts does. */
function ciAddress(primary: Range): number {
  return primary.last - 2;
}

/** Returns the user of the address in the subnetwork, or undefined if the address is free. */
export function addressUser(
  data: Data,
  subnetworkPath: string,
  primary: Range,
  address: number,
): string | undefined {
  if (address === ciAddress(primary)) return "the CI host of the local cloud";
  const text = formatAddress(address);
  for (const [path, { inner, outputs }] of Object.entries(data.resources)) {
    if (inner["subnetwork"] !== subnetworkPath) continue;
    if (outputs["address"] === text || hostsOf(inner).some((machine) => machine.address === text))
      return path;
  }
  return undefined;
}

/** Returns the lowest free addresses of the subnetwork. @throws ApiError when too few are free */
export function freeAddresses(data: Data, subnetworkPath: string, primary: Range, count: number): string[] {
  const taken = new Set<number>([ciAddress(primary)]);
  for (const { inner, outputs } of Object.values(data.resources)) {
    if (inner["subnetwork"] !== subnetworkPath) continue;
    const addresses = hostsOf(inner).map((machine) => machine.address);
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

/** Returns the lowest free pod ranges. @throws ApiError when the cluster's range has too few */
export function freePodRanges(data: Data, subnetworkPath: string, podCidr: string, count: number): string[] {
  const taken = Object.values(data.resources)
    .filter(({ inner }) => inner["subnetwork"] === subnetworkPath)
    .flatMap(({ inner }) => hostsOf(inner).flatMap((machine) => machine.podCidr ?? []))
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

/** Checks that an address can be reserved in the subnetwork. @throws ApiError */
export function checkAddressAvailable(
  data: Data,
  subnetworkPath: string,
  primary: Range,
  address: string,
): void {
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
