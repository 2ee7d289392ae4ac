import { overlap } from "../../../../lib/cidr.ts";
import { text, type Values } from "../../plugin/values.ts";
import { ApiError } from "../model/api-error.ts";
import { checkName, matches, oneOf } from "../model/checks.ts";
import { range } from "../model/cidr.ts";
import { lastPart, pathOf, type Place } from "../model/place.ts";
import type { Request, ResourceType } from "../model/resource-type.ts";
import type { Data } from "../model/store.ts";
import { autoModeRange, isAutoMode } from "./auto-mode.ts";
import { checkRouteOperations } from "./route-operations.ts";
import { subnetworkRanges } from "./subnetwork-ranges.ts";

const checkLink = matches("projects/[a-z0-9.:-]+/global/networks/[a-z](?:[-a-z0-9]*[a-z0-9])?$");
const token = "gcp:compute/networkPeering:NetworkPeering";

/**
 * One side of a VPC network peering. The emulation only stores and returns it, because the local cloud has
 * one network.
 */
export const networkPeering: ResourceType = {
  token,
  title: "NetworkPeering",
  kind: "network",
  scope: "global",
  api: "compute.googleapis.com",
  checks: {
    name: checkName,
    network: checkLink,
    peerNetwork: checkLink,
    stackType: oneOf("IPV4_ONLY", "IPV4_IPV6"),
    updateStrategy: oneOf("INDEPENDENT", "CONSENSUS"),
  },
  path: (inputs) => `${lastPart(text(inputs, "network"))}/${text(inputs, "name")}`,
  importPath: (id) => {
    const [, network, name, ...more] = id.split("/");
    if (name !== undefined && more.length === 0) return `${network}/${name}`;
    throw new Error("Error parsing network peering import format, expected: {project}/{network}/{name}");
  },
  parent: (inputs, place) => networkPath(inputs, "network", place),
  admit: (request) => {
    const { data, inputs, place, previous } = request;
    const networks = [networkPath(inputs, "network", place), networkPath(inputs, "peerNetwork", place)];
    if (previous === undefined) checkRouteOperations(data, networks);
    checkOverlap(request);
    return { outputs: {} };
  },
  observe: (_path, { inputs, parent = "" }, data) =>
    hasOtherHalf(data, parent, text(inputs, "peerNetwork"))
      ? { state: "ACTIVE", stateDetails: "Connected." }
      : { state: "INACTIVE", stateDetails: "Waiting for peer network to connect." },
  errorPrefix: ({ operation }) => `Error ${verbs[operation]} network peering`,
};

const verbs = { create: "adding", read: "reading", update: "updating", delete: "removing" };

/** Returns the peerings of the network at `networkPath`, and those of other networks whose peer is that network. */
export function peeringsOf(data: Data, networkPath: string): { name: string; peer: string }[] {
  return Object.values(data.resources).flatMap(({ type, inputs, parent }) => {
    if (type !== token || parent === undefined) return [];
    const peer = pathOf(text(inputs, "peerNetwork"), "networks", "global", nowhere);
    const name = text(inputs, "name");
    if (parent === networkPath) return [{ name, peer }];
    return peer === networkPath ? [{ name, peer: parent }] : [];
  });
}

/** Reports whether the other network defines the peering too. */
function hasOtherHalf(data: Data, local: string, peerLink: string): boolean {
  const peer = pathOf(peerLink, "networks", "global", nowhere);
  return Object.values(data.resources).some(
    ({ type, inputs, parent }) =>
      type === token &&
      parent === peer &&
      pathOf(text(inputs, "peerNetwork"), "networks", "global", nowhere) === local,
  );
}

/**
 * Placeholder location for pathOf. pathOf needs a location only for references without a project, but a peering's links
 * always contain one.
 */
const nowhere: Place = { project: "", region: "", zone: "" };

function networkPath(inputs: Values, which: "network" | "peerNetwork", place: Place): string {
  return pathOf(text(inputs, which), "networks", "global", place);
}

/** Checks that the ranges of both networks, including auto mode ranges, don't overlap. */
function checkOverlap({ data, inputs, place }: Request): void {
  const [local, peer] = [networkPath(inputs, "network", place), networkPath(inputs, "peerNetwork", place)];
  if (local === peer) {
    throw new ApiError(400, "A network cannot be peered with itself.", "invalid");
  }
  for (const theirs of rangesOf(data, peer)) {
    const ours = rangesOf(data, local).find((one) => overlap(range(one), range(theirs)));
    if (ours === undefined) continue;
    const text = `An IP range in the peer network (${theirs}) overlaps with an IP range (${ours}) in the local network (${lastPart(local)}).`;
    throw new ApiError(400, text, "invalid");
  }
}

function rangesOf(data: Data, path: string): string[] {
  return [...subnetworkRanges(data, path), ...(isAutoMode(data, path) ? [autoModeRange] : [])];
}
