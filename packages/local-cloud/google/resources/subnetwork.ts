import { overlap, parseCidr } from "../../../../lib/cidr.ts";
import { text, type Value, type Values } from "../../plugin/values.ts";
import type { Failure } from "../../plugin/plugin.ts";
import { invalidField } from "../model/api-error.ts";
import { checkName, checkRange, notEmulated, oneOf } from "../model/checks.ts";
import { range } from "../model/cidr.ts";
import { pathOf, selfLink, type Place } from "../model/place.ts";
import { stamped, type Request, type ResourceType } from "../model/resource-type.ts";
import { numericId } from "../model/ids.ts";
import type { Effect } from "../../plugin/schema/differences.ts";
import { checkRangeAvailable } from "./network-ranges.ts";
import { ranges, checkRangeChange, subnetworkToken } from "./subnetwork-ranges.ts";

/** A subnetwork. Its creation starts the VPC's router and the CI host. */
export const subnetwork: ResourceType = {
  token: subnetworkToken,
  title: "Subnetwork",
  kind: "subnetwork",
  scope: "region",
  api: "compute.googleapis.com",
  checks: {
    name: checkName,
    ipCidrRange: checkRange,
    "secondaryIpRanges.rangeName": checkName,
    "secondaryIpRanges.ipCidrRange": checkRange,
    purpose: oneOf("PRIVATE"),
    stackType: oneOf("IPV4_ONLY"),
    ...notEmulated("externalIpv6Prefix", "internalIpv6Prefix", "ipv6AccessType", "ipCollection", "role"),
    ...notEmulated("reservedInternalRange", "secondaryIpRanges.reservedInternalRange"),
  },
  effects: { ipCidrRange: rangeChange },
  validate: validateOverlaps,
  path: (inputs, { project, region }) =>
    `projects/${project}/regions/${region}/subnetworks/${text(inputs, "name")}`,
  uses: (inputs, place) => [networkPath(inputs, place)],
  admit: (request) => {
    checkTaken(request);
    const { inputs, path, previous } = request;
    if (previous !== undefined) checkRangeChange(previous.inputs, inputs);
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

/** Returns the gateway's address: the first usable one. */
function gateway(inputs: Values): string {
  return range(text(inputs, "ipCidrRange")).first;
}

/** A range can grow in place; any other change replaces the subnetwork. */
function rangeChange(before: Value | undefined, after: Value | undefined): Effect {
  const [old, now] = [before, after].map((value) =>
    typeof value === "string" ? parseCidr(value) : undefined,
  );
  return old !== undefined && now?.contains(old) === true ? "update" : "replace";
}

function validateOverlaps(inputs: Values): Failure[] {
  if (inputs["ipCidrRange"] === undefined) {
    const { text: reason } = invalidField("resource.ipCidrRange", "", "Must be specified");
    return [{ property: "ipCidrRange", reason }];
  }
  const all = ranges(inputs).map((one) => ({ ...one, range: parseCidr(one.cidr) }));
  return all.flatMap(({ field, cidr, range: one }, n) => {
    const other = all.slice(0, n).find((before) => one && before.range && overlap(one, before.range));
    if (other === undefined) return [];
    const { text: reason } = invalidField(field, cidr, `It overlaps with ${other.field}: '${other.cidr}'`);
    return [{ property: n === 0 ? "ipCidrRange" : "secondaryIpRanges", reason }];
  });
}

/** Checks that the subnetwork's ranges don't overlap with existing ranges. */
function checkTaken({ data, path, inputs, place }: Request): void {
  const network = networkPath(inputs, place);
  for (const { field, cidr } of ranges(inputs))
    checkRangeAvailable(data, network, { field, cidr, but: path });
}
