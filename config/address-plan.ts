import { isIPv4 } from "node:net";
import type { Netmask } from "netmask";
import { overlap, parseCidr } from "../lib/cidr.ts";
import { isUsableInSubnetwork, usableInSubnetwork } from "./cidr.ts";
import type { Problem } from "./problems.ts";
import { valueAt } from "./problems.ts";

const PRIMARY = ["network", "primaryCidr"];
const PODS = ["network", "podCidr"];
const RANGE_KEYS = [PRIMARY, PODS, ["network", "serviceCidr"], ["network", "controlPlaneCidr"]];
const ADDRESS_KEYS = [
  ["addresses", "pushGateway"],
  ["addresses", "prometheus"],
  ["addresses", "grafana"],
];

/** Addresses that Google Cloud reserves in each subnetwork. */
const RESERVED_BY_GOOGLE = 4;
/** Additional nodes during an upgrade: each new node is created before an old one is removed. */
const SURGE_NODES = 1;
/** The control plane's private endpoint has an address in the nodes' subnetwork (Private Service Connect). */
const CONTROL_PLANE_ADDRESSES = 1;
/** Number of addresses in the pod range that each node takes: GKE assigns a /24 to each node. */
const POD_ADDRESSES_PER_NODE = 256;

/** Checks the ranges and addresses against each other. Skips invalid values: the schema reports them. */
export function checkAddressPlan(raw: unknown): Problem[] {
  return [...checkOverlaps(raw), ...checkAddresses(raw), ...checkPodRange(raw), ...checkPrimaryRange(raw)];
}

function checkOverlaps(raw: unknown): Problem[] {
  const ranges = RANGE_KEYS.flatMap((path) => rangeAt(raw, path));
  return ranges.flatMap((one, index) =>
    ranges
      .slice(0, index)
      .filter((other) => overlap(one.range, other.range))
      .map((other) => ({
        path: one.path,
        value: one.text,
        allowed: `a range that doesn't overlap ${other.path.join(".")} (${other.text})`,
      })),
  );
}

function checkAddresses(raw: unknown): Problem[] {
  const [primary] = rangeAt(raw, PRIMARY);
  const addresses = ADDRESS_KEYS.flatMap((path) => {
    const value = valueAt(raw, path);
    return typeof value === "string" && isIPv4(value) ? [{ path, value }] : [];
  });
  const outside = addresses.flatMap(({ path, value }) =>
    primary === undefined || isUsableInSubnetwork(primary.range, value)
      ? []
      : [{ path, value, allowed: usableAddresses(primary, value) }],
  );
  const duplicates = addresses
    .filter(({ value }, index) => addresses.findIndex((other) => other.value === value) < index)
    .map(({ path, value }) => ({ path, value, allowed: "an address that no other key has" }));
  return [...outside, ...duplicates];
}

function usableAddresses({ text, range }: { text: string; range: Netmask }, address: string): string {
  const { first, last } = usableInSubnetwork(range);
  const why = range.contains(address)
    ? "; Google Cloud reserves the first two and the last two of a range"
    : "";
  return `an address in network.primaryCidr (${text}): ${first} to ${last}${why}`;
}

function checkPodRange(raw: unknown): Problem[] {
  const [pods] = rangeAt(raw, PODS);
  const nodes = valueAt(raw, ["cluster", "nodeCount"]);
  if (pods === undefined || typeof nodes !== "number" || pods.range.size < POD_ADDRESSES_PER_NODE) return [];
  const maxNodes = pods.range.size / POD_ADDRESSES_PER_NODE;
  if (nodes + SURGE_NODES <= maxNodes) return [];
  const allowed = `a range with a /24 for each of ${nodes} nodes and one for upgrades; this one has ${maxNodes}`;
  return [{ path: PODS, value: pods.text, allowed }];
}

function checkPrimaryRange(raw: unknown): Problem[] {
  const [primary] = rangeAt(raw, PRIMARY);
  const nodes = valueAt(raw, ["cluster", "nodeCount"]);
  if (primary === undefined || typeof nodes !== "number") return [];
  const needed = nodes + SURGE_NODES + ADDRESS_KEYS.length + CONTROL_PLANE_ADDRESSES + RESERVED_BY_GOOGLE;
  if (needed <= primary.range.size) return [];
  const allowed =
    `a range of at least ${needed} addresses: ${nodes} for nodes, ${SURGE_NODES} for upgrades, ` +
    `${ADDRESS_KEYS.length} for load balancers, ${CONTROL_PLANE_ADDRESSES} for the control plane, ` +
    `${RESERVED_BY_GOOGLE} that Google Cloud reserves; this one has ${primary.range.size}`;
  return [{ path: PRIMARY, value: primary.text, allowed }];
}

function rangeAt(raw: unknown, path: string[]): { path: string[]; text: string; range: Netmask }[] {
  const text = valueAt(raw, path);
  const range = typeof text === "string" ? parseCidr(text) : undefined;
  return typeof text === "string" && range !== undefined ? [{ path, text, range }] : [];
}
