import { ip2long, long2ip, Netmask } from "netmask";
import { overlap } from "../../../../lib/cidr.ts";
import { maps, optionalText, type Values } from "../../plugin/values.ts";
import { ApiError } from "./api-error.ts";
import { range } from "./cidr.ts";
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
function isReserved({ netLong, size }: Netmask, address: string): boolean {
  const n = ip2long(address) - netLong;
  return n <= 1 || n >= size - 2;
}

/**
 * Returns the CI host's address, the last one before the two that Google reserves. It must be the same as in
 * packages/local-cloud/hosts/network.ts.
 */
function ciAddress({ netLong, size }: Netmask): string {
  return long2ip(netLong + size - 3);
}

/** Returns the resource that uses the address in the subnetwork, or undefined if the address is free. */
function addressUser(
  data: Data,
  subnetworkPath: string,
  primary: Netmask,
  address: string,
): string | undefined {
  if (address === ciAddress(primary)) return "the CI host of the local cloud";
  for (const [path, { inner, outputs }] of Object.entries(data.resources)) {
    if (inner["subnetwork"] !== subnetworkPath) continue;
    if (outputs["address"] === address || hostsOf(inner).some((machine) => machine.address === address))
      return path;
  }
  return undefined;
}

/** Returns the lowest free addresses of the subnetwork. @throws ApiError when too few are free */
export function freeAddresses(data: Data, subnetworkPath: string, primary: Netmask, count: number): string[] {
  const taken = new Set([ciAddress(primary)]);
  for (const { inner, outputs } of Object.values(data.resources)) {
    if (inner["subnetwork"] !== subnetworkPath) continue;
    for (const { address } of hostsOf(inner)) taken.add(address);
    taken.add(optionalText(outputs, "address") ?? "");
  }
  const free: string[] = [];
  for (let n = 0; n < primary.size && free.length < count; n += 1) {
    const address = long2ip(primary.netLong + n);
    if (!isReserved(primary, address) && !taken.has(address)) free.push(address);
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
  for (let next = new Netmask(all.base, podPrefix); free.length < count; next = next.next()) {
    if (!all.contains(next)) throw exhausted(subnetworkPath, all);
    if (!taken.some((one) => overlap(one, next))) free.push(next.toString());
  }
  return free;
}

function exhausted(path: string, all: Netmask): ApiError {
  const text = `IP space of '${path}' is exhausted. Insufficient free IP addresses in the IP range '${all.toString()}'. Consider expanding the current IP range or selecting an alternative IP range.`;
  return new ApiError(400, text, "IP_SPACE_EXHAUSTED_WITH_DETAILS");
}

/** Checks that an address can be reserved in the subnetwork. @throws ApiError */
export function checkAddressAvailable(
  data: Data,
  subnetworkPath: string,
  primary: Netmask,
  address: string,
): void {
  const field = `Invalid value for field 'resource.address': '${address}'.`;
  if (!primary.contains(address)) {
    throw new ApiError(
      400,
      `${field} Requested internal IP address is outside the subnetwork CIDR range.`,
      "invalid",
    );
  }
  if (isReserved(primary, address)) {
    throw new ApiError(
      400,
      `${field} Requested internal IP address is a reserved address of the subnetwork.`,
      "invalid",
    );
  }
  const user = addressUser(data, subnetworkPath, primary, address);
  if (user === undefined) return;
  const by = `It is used by '${user}'.`;
  throw new ApiError(
    400,
    `${field} Specified IP address is in-use and would result in a conflict. ${by}`,
    "invalid",
  );
}
