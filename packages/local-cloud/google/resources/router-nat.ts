import { maps, text, texts, type Value, type Values } from "../../plugin/values.ts";
import type { Failure } from "../../plugin/plugin.ts";
import { invalidField, invalidFieldText } from "../model/api-error.ts";
import { between, checkName, notEmulated, oneOf } from "../model/checks.ts";
import { lastPart, pathOf, type Place } from "../model/place.ts";
import type { Request, ResourceType } from "../model/resource-type.ts";

const token = "gcp:compute/routerNat:RouterNat";
const listed = "LIST_OF_SUBNETWORKS";
const allRanges = "ALL_IP_RANGES";
const someSecondary = "LIST_OF_SECONDARY_IP_RANGES";

/** A Cloud NAT gateway. It has no effect, because the local cloud has no egress. */
export const routerNat: ResourceType = {
  token,
  title: "RouterNat",
  kind: "router",
  scope: "region",
  api: "compute.googleapis.com",
  checks: {
    name: checkName,
    natIpAllocateOption: oneOf("MANUAL_ONLY", "AUTO_ONLY"),
    sourceSubnetworkIpRangesToNat: oneOf(
      "ALL_SUBNETWORKS_ALL_IP_RANGES",
      "ALL_SUBNETWORKS_ALL_PRIMARY_IP_RANGES",
      listed,
    ),
    "subnetworks.sourceIpRangesToNats": oneOf(allRanges, someSecondary, "PRIMARY_IP_RANGE"),
    subnetworks: checkSubnetworks,
    minPortsPerVm: between(2, 57344),
    maxPortsPerVm: between(64, 65536),
    type: oneOf("PUBLIC", "PRIVATE"),
    ...notEmulated(
      "drainNatIps",
      "initialNatIps",
      "nat64Subnetworks",
      "rules",
      "sourceSubnetworkIpRangesToNat64",
    ),
  },
  validate: validateTogether,
  path: (inputs, { project, region }) =>
    `${project}/${region}/${lastPart(text(inputs, "router"))}/${text(inputs, "name")}`,
  parent: routerPath,
  uses: (inputs, place) => covered(inputs, place).map(({ path }) => path),
  admit: (request) => {
    checkRegion(request);
    checkOtherNats(request);
    return { outputs: { autoNetworkTier: "PREMIUM" } };
  },
};

function routerPath(inputs: Values, place: Place): string {
  return pathOf(text(inputs, "router"), "routers", "region", place);
}

/** A subnetwork in a NAT's configuration, and its ranges that use the NAT. */
interface Covered {
  readonly path: string;
  readonly options: readonly string[];
  /** Names of the secondary ranges that use the NAT, if `options` contains {@link someSecondary}. */
  readonly secondary: readonly string[];
}

function covered(inputs: Values, place: Place): Covered[] {
  return maps(inputs, "subnetworks").map((one) => ({
    path: pathOf(text(one, "name"), "subnetworks", "region", place),
    options: texts(one, "sourceIpRangesToNats"),
    secondary: texts(one, "secondaryIpRangeNames"),
  }));
}

function checkSubnetworks(value: Value): string | undefined {
  for (const [n, one] of maps({ value }, "value").entries()) {
    const field = `resource.nats[0].subnetworks[${n}]`;
    const options = texts(one, "sourceIpRangesToNats");
    if (texts(one, "secondaryIpRangeNames").length > 0 && !options.includes(someSecondary)) {
      const why = `No secondary IP ranges should be provided if the subnetwork is not configured with ${someSecondary}.`;
      return invalidFieldText(`${field}.secondaryIpRangeNames`, "", why);
    }
  }
  return undefined;
}

function validateTogether(inputs: Values): Failure[] {
  const failures: Failure[] = [];
  if (inputs["natIpAllocateOption"] === "AUTO_ONLY" && inputs["natIps"] !== undefined) {
    const reason = "nat_ips can't be given when nat_ip_allocate_option is AUTO_ONLY";
    failures.push({ property: "natIps", reason });
  }
  const byList = inputs["sourceSubnetworkIpRangesToNat"] === listed;
  const given = maps(inputs, "subnetworks").length > 0 || typeof inputs["subnetworks"] === "string";
  if (byList !== given) {
    const reason = `subnetworks must be given if, and only if, source_subnetwork_ip_ranges_to_nat is ${listed}`;
    failures.push({ property: "subnetworks", reason });
  }
  return failures;
}

/** Checks that the listed subnetworks are in the NAT's region: a NAT serves only its own region. */
function checkRegion({ inputs, place }: Request): void {
  for (const [n, { path }] of covered(inputs, place).entries()) {
    if (path.includes(`/regions/${place.region}/`)) continue;
    const why = `The subnetwork must be in the same region as the NAT, '${place.region}'.`;
    throw invalidField(`resource.nats[0].subnetworks[${n}].name`, path, why);
  }
}

/** Checks that no range of a network uses two NATs of the same region. */
function checkOtherNats(request: Request): void {
  const { data, path, inputs, place } = request;
  const networkOf = (one: string | undefined) => data.resources[one ?? ""]?.uses[0];
  const mine = networkOf(routerPath(inputs, place));
  for (const [otherPath, other] of Object.entries(data.resources)) {
    if (other.type !== token || otherPath === path || networkOf(other.parent) !== mine) continue;
    if (other.outputs["region"] !== place.region) continue;
    for (const nat of [other.inputs, inputs]) {
      const source = text(nat, "sourceSubnetworkIpRangesToNat");
      if (source === listed) continue;
      const why = `Can not create new Nats since a Nat with option ${source} exists.`;
      throw invalidField("resource.nats[0].sourceSubnetworkIpRangesToNat", source, why);
    }
    validateSameRanges(covered(inputs, place), covered(other.inputs, place));
  }
}

function validateSameRanges(mine: Covered[], others: Covered[]): void {
  for (const [n, one] of mine.entries()) {
    const field = `resource.nats[0].subnetworks[${n}].sourceIpRangesToNat`;
    for (const other of others.filter(({ path }) => path === one.path)) {
      if ([one, other].some(({ options }) => options.includes(allRanges))) {
        const why = `The subnetwork is already configured with ${other.options.join(", ")} for Nat which conflicts with the specified IpRangeToNatOption options in this Nat.`;
        throw invalidField(field, "", why);
      }
      const same = one.options.findIndex((option) => isSame(option, one, other));
      if (same < 0) continue;
      const option = one.options[same] ?? "";
      const why = `Can not specify ${option} for the Subnetwork since it is already configured for Nat with the option ${option}.`;
      throw invalidField(`${field}[${same}]`, option, why);
    }
  }
}

/**
 * Reports whether two NATs of a subnetwork conflict because both have `option`, one of `one.options`. If `option` is
 * LIST_OF_SECONDARY_IP_RANGES, they conflict only if both list the same secondary range.
 */
function isSame(option: string, one: Covered, other: Covered): boolean {
  if (!other.options.includes(option)) return false;
  return option !== someSecondary || one.secondary.some((name) => other.secondary.includes(name));
}
