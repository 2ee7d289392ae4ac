import { checkAddressPlan } from "./address-plan.ts";
import { checkExposure, checkRemoteWrite } from "./gateway-checks.ts";
import { checkLongTerm } from "./long-term.ts";
import { checkMachineType } from "./machine-types.ts";
import { checkMail } from "./mail-checks.ts";
import type { Problem } from "./problems.ts";
import { valueAt } from "./problems.ts";

/** Maximum characters of a compute resource's name (RFC 1035). */
const MAX_NAME = 63;

/**
 * Checks values that depend on each other. Takes the unvalidated configuration, so that its problems can be reported
 * together with those that the schema finds. Skips values that the schema rejects.
 */
export function crossChecks(raw: unknown): Problem[] {
  return [
    ...checkZone(raw),
    ...checkAddressPlan(raw),
    ...checkMachineType(raw),
    ...checkEndpoint(raw),
    ...checkSpot(raw),
    ...checkPeers(raw),
    ...checkMail(raw),
    ...checkFelix(raw),
    ...checkExposure(raw),
    ...checkRemoteWrite(raw),
    ...checkLongTerm(raw),
  ];
}

function checkZone(raw: unknown): Problem[] {
  const region = valueAt(raw, ["region"]);
  const zone = valueAt(raw, ["zone"]);
  const areSet = typeof region === "string" && typeof zone === "string" && region !== "" && zone !== "";
  if (!areSet || zone.startsWith(`${region}-`)) return [];
  return [{ path: ["zone"], value: zone, allowed: `a zone of the region ${region}, like ${region}-b` }];
}

/** Checks the keys that belong to the IP endpoint: authorized networks and the control plane's range. */
function checkEndpoint(raw: unknown): Problem[] {
  const path = ["cluster", "authorizedNetworks"];
  const networks = valueAt(raw, path);
  const isEmpty = !Array.isArray(networks) || networks.length === 0;
  if (valueAt(raw, ["cluster", "endpoint"]) === "ip") {
    const needed = 'at least one IPv4 range when cluster.endpoint is "ip"';
    return isEmpty ? [{ path, value: networks, allowed: needed }] : [];
  }
  const rangePath = ["network", "controlPlaneCidr"];
  const range = valueAt(raw, rangePath);
  const allowed = 'no value unless cluster.endpoint is "ip"';
  return [
    ...(isEmpty ? [] : [{ path, value: networks, allowed }]),
    ...(range === undefined ? [] : [{ path: rangePath, value: range, allowed }]),
  ];
}

function checkSpot(raw: unknown): Problem[] {
  const spot = valueAt(raw, ["cluster", "spot"]);
  if (spot !== true || valueAt(raw, ["cluster", "acceptInterruptions"]) === true) return [];
  const allowed =
    "false, or true together with cluster.acceptInterruptions: true; Google Cloud may preempt Spot nodes at any time, " +
    "and Prometheus, the Pushgateway and Grafana are unavailable until they run on another node";
  return [{ path: ["cluster", "spot"], value: spot, allowed }];
}

function checkPeers(raw: unknown): Problem[] {
  const path = ["network", "peers"];
  const peers = valueAt(raw, path);
  if (!Array.isArray(peers) || peers.length === 0) return [];
  const problem = (allowed: string) => [{ path, value: peers, allowed }];
  if (valueAt(raw, ["network", "vpc"]) !== undefined) {
    return problem("no value when network.vpc names an existing VPC");
  }
  const name = valueAt(raw, ["network", "name"]) ?? valueAt(raw, ["cluster", "name"]);
  if (peers.includes(name)) return problem("names of other VPCs, not network.name");
  if (new Set(peers).size < peers.length) return problem("each VPC once");
  if (!peers.some((peer) => `${String(name)}-to-${String(peer)}`.length > MAX_NAME)) return [];
  return problem(`names that have at most ${MAX_NAME} characters together with network.name and "-to-"`);
}

function checkFelix(raw: unknown): Problem[] {
  const path = ["felix", "targets"];
  const targets = valueAt(raw, path);
  if (!Array.isArray(targets) || new Set(targets).size === targets.length) return [];
  return [{ path, value: targets, allowed: "each target once" }];
}
