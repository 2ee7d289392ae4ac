import { maps, optionalText, text, type Value, type Values } from "../../plugin/values.ts";
import type { Failure } from "../../plugin/plugin.ts";
import { ApiError, invalidField } from "../api-error.ts";
import { checkName, checkRange, oneOf, sameReference, type Effect } from "../arguments.ts";
import { covers, formatAddress, overlap, parseRange, range } from "../cidr.ts";
import { lastPart, pathOf, regionOf, selfLink, type Place } from "../place.ts";
import { numericId, stamped, type Request, type ResourceType } from "../resource-type.ts";
import type { Data } from "../store.ts";

const token = "gcp:compute/subnetwork:Subnetwork";

/** A subnetwork: its machines are the VPC's router and the CI machine. */
export const subnetwork: ResourceType = {
  token,
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

/** The range of that name among the subnetwork's secondary ranges. */
export function secondaryRange(inputs: Values, name: string): string | undefined {
  const found = maps(inputs, "secondaryIpRanges").find((one) => one["rangeName"] === name);
  return found === undefined ? undefined : optionalText(found, "ipCidrRange");
}

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

/** All ranges of a subnetwork, with the API's name of the field. */
function ranges(inputs: Values): { field: string; cidr: string }[] {
  const secondary = maps(inputs, "secondaryIpRanges").map((one, n) => ({
    field: `resource.secondaryIpRanges[${n}].ipCidrRange`,
    cidr: optionalText(one, "ipCidrRange") ?? "",
  }));
  return [{ field: "resource.ipCidrRange", cidr: optionalText(inputs, "ipCidrRange") ?? "" }, ...secondary];
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

/** Ranges must not overlap with those of another subnetwork of the network. */
function refuseTaken({ data, path, inputs, place }: Request): void {
  const network = networkPath(inputs, place);
  for (const [otherPath, other] of siblings(data, network, path)) {
    for (const { field, cidr } of ranges(inputs)) {
      if (!ranges(other.inputs).some((taken) => overlap(range(cidr), range(taken.cidr)))) continue;
      const where = `conflicts with existing subnetwork '${lastPart(otherPath)}' in region '${regionIn(otherPath)}'.`;
      throw invalidField(field, cidr, `Invalid IPCidrRange: ${cidr} ${where}`);
    }
    throw new ApiError(400, "The local cloud has one subnetwork: a second one is beyond it", "localLimit");
  }
}

function siblings(data: Data, network: string, path: string) {
  return Object.entries(data.resources).filter(
    ([other, { type, uses }]) => type === token && other !== path && uses.includes(network),
  );
}

function regionIn(path: string): string {
  return regionOf(path.split("/")[3] ?? "");
}
