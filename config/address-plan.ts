import { isIPv4 } from "node:net";
import type { Netmask } from "netmask";
import { isUsableInSubnetwork, overlap, parseCidr, usableInSubnetwork } from "./cidr.ts";
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

/** Addresses that Google keeps in each subnetwork. */
const KEPT_BY_GOOGLE = 4;
/** An upgrade creates a new node before it removes an old one. */
const SURGE_NODES = 1;
/** The control plane's private endpoint has an address in the nodes' subnetwork (Private Service Connect). */
const CONTROL_PLANE_ADDRESSES = 1;
/** GKE gives a node a /24 of the pods' range. */
const PODS_PER_NODE = 256;

/**
 * Checks of the address plan that concern more than one key. They skip values that are wrong by themselves, so that
 * all problems can be reported together.
 */
export function checkAddressPlan(raw: unknown): Problem[] {
  return [...checkOverlaps(raw), ...checkAddresses(raw), ...checkPodRange(raw), ...checkPrimaryRange(raw)];
}

function checkOverlaps(raw: unknown): Problem[] {
  const ranges = RANGE_KEYS.flatMap((path) => rangeAt(raw, path));
  return ranges.flatMap((one, at) =>
    ranges
      .slice(0, at)
      .filter((other) => overlap(one.range, other.range))
      .map((other) => ({
        path: one.path,
        was: one.text,
        allowed: `a range that doesn't overlap ${other.path.join(".")} (${other.text})`,
      })),
  );
}

function checkAddresses(raw: unknown): Problem[] {
  const [primary] = rangeAt(raw, PRIMARY);
  const addresses = ADDRESS_KEYS.flatMap((path) => {
    const was = valueAt(raw, path);
    return typeof was === "string" && isIPv4(was) ? [{ path, was }] : [];
  });
  const outside = addresses.flatMap(({ path, was }) =>
    primary === undefined || isUsableInSubnetwork(primary.range, was)
      ? []
      : [{ path, was, allowed: usableAddress(primary, was) }],
  );
  const twice = addresses
    .filter(({ was }, at) => addresses.findIndex((other) => other.was === was) < at)
    .map(({ path, was }) => ({ path, was, allowed: "an address that no other key has" }));
  return [...outside, ...twice];
}

function usableAddress({ text, range }: { text: string; range: Netmask }, address: string): string {
  const { first, last } = usableInSubnetwork(range);
  const why = range.contains(address) ? "; Google keeps the first two and the last two of a range" : "";
  return `an address inside network.primaryCidr (${text}): ${first} to ${last}${why}`;
}

function checkPodRange(raw: unknown): Problem[] {
  const [pods] = rangeAt(raw, PODS);
  const nodes = valueAt(raw, ["cluster", "nodeCount"]);
  if (pods === undefined || typeof nodes !== "number" || pods.range.size < PODS_PER_NODE) return [];
  const room = pods.range.size / PODS_PER_NODE;
  if (nodes + SURGE_NODES <= room) return [];
  const allowed = `a range with a /24 for each of ${nodes} nodes and one for upgrades; this has ${room}`;
  return [{ path: PODS, was: pods.text, allowed }];
}

function checkPrimaryRange(raw: unknown): Problem[] {
  const [primary] = rangeAt(raw, PRIMARY);
  const nodes = valueAt(raw, ["cluster", "nodeCount"]);
  if (primary === undefined || typeof nodes !== "number") return [];
  const needed = nodes + SURGE_NODES + ADDRESS_KEYS.length + CONTROL_PLANE_ADDRESSES + KEPT_BY_GOOGLE;
  if (needed <= primary.range.size) return [];
  const allowed =
    `a range of at least ${needed} addresses: ${nodes} nodes, ${SURGE_NODES} for upgrades, ` +
    `${ADDRESS_KEYS.length} reserved addresses, ${CONTROL_PLANE_ADDRESSES} for the control plane, ` +
    `${KEPT_BY_GOOGLE} that Google keeps; this has ${primary.range.size}`;
  return [{ path: PRIMARY, was: primary.text, allowed }];
}

function rangeAt(raw: unknown, path: string[]): { path: string[]; text: string; range: Netmask }[] {
  const text = valueAt(raw, path);
  const range = typeof text === "string" ? parseCidr(text) : undefined;
  return typeof text === "string" && range !== undefined ? [{ path, text, range }] : [];
}
