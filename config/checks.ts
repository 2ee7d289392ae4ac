import { checkAddressPlan } from "./address-plan.ts";
import { checkExposure, checkRemoteWrite } from "./gateway-checks.ts";
import { checkLongTerm } from "./long-term.ts";
import { checkMachineType } from "./machine-types.ts";
import { checkMail } from "./mail-checks.ts";
import type { Problem } from "./problems.ts";
import { valueAt } from "./problems.ts";

/** Of Google's compute resources: RFC 1035. */
const MAX_NAME = 63;

/**
 * Checks that concern more than one key. They work on the raw values and skip those that are wrong by themselves, so
 * that all problems can be reported together.
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
  const judgeable = typeof region === "string" && typeof zone === "string" && region !== "" && zone !== "";
  if (!judgeable || zone.startsWith(`${region}-`)) return [];
  return [{ path: ["zone"], was: zone, allowed: `a zone of the region ${region}, like ${region}-b` }];
}

/** Two keys belong to the IP endpoint: who may reach it, and its range, which GKE chooses otherwise. */
function checkEndpoint(raw: unknown): Problem[] {
  const byAddress = valueAt(raw, ["cluster", "endpoint"]) === "ip";
  const path = ["cluster", "authorizedNetworks"];
  const networks = valueAt(raw, path);
  const isEmpty = !Array.isArray(networks) || networks.length === 0;
  const rangePath = ["network", "controlPlaneCidr"];
  const range = valueAt(raw, rangePath);
  if (byAddress) {
    const needed = 'at least one IPv4 range when cluster.endpoint is "ip"';
    return isEmpty ? [{ path, was: networks, allowed: needed }] : [];
  }
  const allowed = 'nothing unless cluster.endpoint is "ip"';
  return [
    ...(isEmpty ? [] : [{ path, was: networks, allowed }]),
    ...(range === undefined ? [] : [{ path: rangePath, was: range, allowed }]),
  ];
}

function checkSpot(raw: unknown): Problem[] {
  const spot = valueAt(raw, ["cluster", "spot"]);
  if (spot !== true || valueAt(raw, ["cluster", "acceptInterruptions"]) === true) return [];
  const allowed =
    "false, or true together with cluster.acceptInterruptions: true; every node holds state, and Google " +
    "takes a Spot node away at any time: pushes fail until another one comes";
  return [{ path: ["cluster", "spot"], was: spot, allowed }];
}

function checkPeers(raw: unknown): Problem[] {
  const path = ["network", "peers"];
  const peers = valueAt(raw, path);
  if (!Array.isArray(peers) || peers.length === 0) return [];
  if (valueAt(raw, ["network", "vpc"]) !== undefined) {
    return [{ path, was: peers, allowed: "nothing when network.vpc names an existing VPC" }];
  }
  const name = valueAt(raw, ["network", "name"]) ?? valueAt(raw, ["cluster", "name"]);
  if (peers.includes(name)) return [{ path, was: peers, allowed: "names of other VPCs, not network.name" }];
  if (new Set(peers).size < peers.length) return [{ path, was: peers, allowed: "each VPC once" }];
  if (!peers.some((peer) => `${String(name)}-to-${String(peer)}`.length > MAX_NAME)) return [];
  const allowed = `names that with network.name and "-to-" have at most ${MAX_NAME} characters`;
  return [{ path, was: peers, allowed }];
}

function checkFelix(raw: unknown): Problem[] {
  const path = ["felix", "targets"];
  const targets = valueAt(raw, path);
  if (!Array.isArray(targets) || new Set(targets).size === targets.length) return [];
  return [{ path, was: targets, allowed: "each target once" }];
}
