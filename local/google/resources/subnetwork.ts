import { maps, text, type Value, type Values } from "../../plugin/values.ts";
import type { Failure } from "../../plugin/plugin.ts";
import { ApiError, invalidField } from "../api-error.ts";
import { checkName, checkRange, oneOf, sameReference, type Effect } from "../arguments.ts";
import { covers, formatAddress, overlap, parseRange, range } from "../cidr.ts";
import { lastPart, pathOf, regionOf, selfLink, type Place } from "../place.ts";
import { numericId, stamped, type Request, type ResourceType } from "../resource-type.ts";
import { autoModeRange, isAutoMode, isInAutoMode } from "./auto-mode.ts";
import { peersOf } from "./network-peering.ts";
import { ranges, subnetworkToken } from "./subnetwork-ranges.ts";

/** A subnetwork: its machines are the VPC's router and the CI machine. */
export const subnetwork: ResourceType = {
  token: subnetworkToken,
  title: "Subnetwork",
  kind: "subnetwork",
  scope: "region",
  api: "compute.googleapis.com",
  autoNamed: true,
  arguments: {
    name: { change: "replace", check: checkName },
    network: { required: true, change: "replace", same: sameReference },
    region: { change: "replace", same: sameReference },
    ipCidrRange: { required: true, change: rangeChange, check: checkRange },
    secondaryIpRanges: { check: checkSecondaryRanges },
    privateIpGoogleAccess: {},
    description: { change: "replace" },
    purpose: { change: "replace", check: oneOf("PRIVATE") },
    stackType: { check: oneOf("IPV4_ONLY") },
    logConfig: {},
    project: { change: "replace" },
  },
  computed: ["selfLink", "creationTimestamp", "gatewayAddress", "fingerprint", "subnetworkId"],
  refuse: refuseOverlaps,
  path: (inputs, { project, region }) =>
    `projects/${project}/regions/${region}/subnetworks/${text(inputs, "name")}`,
  uses: (inputs, place) => [networkPath(inputs, place)],
  admit: (request) => {
    refuseTaken(request);
    const { inputs, path, previous } = request;
    return {
      outputs: {
        ...stamped(previous, selfLink(path)),
        network: selfLink(networkPath(inputs, request.place)),
        gatewayAddress: gateway(inputs),
        subnetworkId: previous?.outputs["subnetworkId"] ?? Number(numericId()),
        fingerprint: "",
        purpose: inputs["purpose"] ?? "PRIVATE",
        stackType: inputs["stackType"] ?? "IPV4_ONLY",
        privateIpv6GoogleAccess: "DISABLE_GOOGLE_ACCESS",
      },
    };
  },
  work: async ({ machines }, { inputs }) => {
    await machines.startNetwork({ cidr: text(inputs, "ipCidrRange"), gateway: gateway(inputs) });
    return {};
  },
  remove: ({ machines }) => machines.stopNetwork(),
};

function networkPath(inputs: Values, place: Place): string {
  return pathOf(text(inputs, "network"), "networks", "global", place);
}

/** Google's router has the first usable address. */
function gateway(inputs: Values): string {
  return formatAddress(range(text(inputs, "ipCidrRange")).first + 1);
}

/** A range can grow in place; any other change needs a new subnetwork. */
function rangeChange(before: Value | undefined, after: Value | undefined): Effect {
  const [old, now] = [before, after].map((value) =>
    typeof value === "string" ? parseRange(value) : undefined,
  );
  return old !== undefined && now !== undefined && covers(now, old) ? "update" : "replace";
}

function checkSecondaryRanges(value: Value): string | undefined {
  const ranges = maps({ value }, "value");
  for (const [n, one] of ranges.entries()) {
    const wrong =
      checkName(one["rangeName"] ?? "", `secondaryIpRanges[${n}].rangeName`) ??
      checkRange(one["ipCidrRange"] ?? "", `secondaryIpRanges[${n}].ipCidrRange`);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function refuseOverlaps(inputs: Values): Failure[] {
  const all = ranges(inputs).map((one) => ({ ...one, range: parseRange(one.cidr) }));
  return all.flatMap(({ field, cidr, range: one }, n) => {
    const other = all.slice(0, n).find((before) => one && before.range && overlap(one, before.range));
    if (other === undefined) return [];
    const { text: reason } = invalidField(field, cidr, `It overlaps with ${other.field}: '${other.cidr}'`);
    return [{ property: n === 0 ? "ipCidrRange" : "secondaryIpRanges", reason }];
  });
}

/** Ranges must not overlap with those of another subnetwork of the network, nor with those of auto mode. */
function refuseTaken(request: Request): void {
  const { data, path, inputs, place } = request;
  const network = networkPath(inputs, place);
  refuseAutoMode(request, network);
  for (const [otherPath, other] of Object.entries(data.resources)) {
    if (other.type !== subnetworkToken || otherPath === path) continue;
    for (const { field, cidr } of other.uses.includes(network) ? ranges(inputs) : []) {
      if (!ranges(other.inputs).some((taken) => overlap(range(cidr), range(taken.cidr)))) continue;
      const where = `conflicts with existing subnetwork '${lastPart(otherPath)}' in region '${regionIn(otherPath)}'.`;
      throw invalidField(field, cidr, `Invalid IPCidrRange: ${cidr} ${where}`);
    }
    throw new ApiError(400, "The local cloud has one subnetwork: a second one is beyond it", "localLimit");
  }
}

/** A network in auto mode keeps a range for itself, also from the networks that are peered with it. */
function refuseAutoMode({ data, inputs }: Request, network: string): void {
  const taken = ranges(inputs).find(({ cidr }) => isInAutoMode(cidr));
  if (taken === undefined) return;
  const { field, cidr } = taken;
  if (isAutoMode(data, network)) {
    const why = `Extended subnetworks in auto subnet mode networks cannot overlap with ${autoModeRange}.`;
    throw invalidField(field, cidr, why);
  }
  const peer = peersOf(data, network).find((one) => isAutoMode(data, one));
  if (peer === undefined) return;
  const where = `overlaps with an IP range (${autoModeRange}) in an active peer (${lastPart(peer)}) of the local network.`;
  throw invalidField(field, cidr, `An IP range in the local network (${cidr}) ${where}`);
}

function regionIn(path: string): string {
  return regionOf(path.split("/")[3] ?? "");
}
