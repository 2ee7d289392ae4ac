import { optionalText, text, type Values } from "../../plugin/values.ts";
import { ApiError } from "../api-error.ts";
import { between, checkName, oneOf, sameReference } from "../arguments.ts";
import { lastPart, pathOf, selfLink, type Place } from "../place.ts";
import { stamped, type Request, type ResourceType } from "../resource-type.ts";

/** A router. Kept and answered; the local VPC has a router of its own and no way out. */
export const router: ResourceType = {
  token: "gcp:compute/router:Router",
  title: "Router",
  kind: "router",
  scope: "region",
  api: "compute.googleapis.com",
  autoNamed: true,
  arguments: {
    name: { change: "replace", check: checkName },
    network: { required: true, change: "replace", same: sameReference },
    region: { change: "replace", same: sameReference },
    description: {},
    bgp: {},
    project: { change: "replace" },
  },
  computed: ["selfLink", "creationTimestamp"],
  path: (inputs, { project, region }) =>
    `projects/${project}/regions/${region}/routers/${text(inputs, "name")}`,
  uses: (inputs, place) => [networkPath(inputs, place)],
  admit: ({ path, inputs, place, previous }) => ({
    outputs: { ...stamped(previous, selfLink(path)), network: selfLink(networkPath(inputs, place)) },
  }),
};

function networkPath(inputs: Values, place: Place): string {
  return pathOf(text(inputs, "network"), "networks", "global", place);
}

/** A way out for machines without an address of their own. In the local cloud it leads nowhere. */
export const routerNat: ResourceType = {
  token: "gcp:compute/routerNat:RouterNat",
  title: "RouterNat",
  kind: "router",
  scope: "region",
  api: "compute.googleapis.com",
  autoNamed: true,
  arguments: {
    name: { change: "replace", check: checkName },
    router: { required: true, change: "replace", same: sameReference },
    region: { change: "replace", same: sameReference },
    natIpAllocateOption: { check: oneOf("MANUAL_ONLY", "AUTO_ONLY") },
    natIps: {},
    sourceSubnetworkIpRangesToNat: {
      required: true,
      check: oneOf(
        "ALL_SUBNETWORKS_ALL_IP_RANGES",
        "ALL_SUBNETWORKS_ALL_PRIMARY_IP_RANGES",
        "LIST_OF_SUBNETWORKS",
      ),
    },
    subnetworks: {},
    logConfig: {},
    enableDynamicPortAllocation: {},
    enableEndpointIndependentMapping: {},
    minPortsPerVm: { check: between(2, 57344) },
    maxPortsPerVm: { check: between(64, 65536) },
    icmpIdleTimeoutSec: { default: 30 },
    tcpEstablishedIdleTimeoutSec: { default: 1200 },
    tcpTimeWaitTimeoutSec: { default: 120 },
    tcpTransitoryIdleTimeoutSec: { default: 30 },
    udpIdleTimeoutSec: { default: 30 },
    type: { change: "replace", default: "PUBLIC", check: oneOf("PUBLIC", "PRIVATE") },
    project: { change: "replace" },
  },
  computed: [],
  refuse: (inputs) =>
    inputs["natIpAllocateOption"] === "AUTO_ONLY" && inputs["natIps"] !== undefined
      ? [{ property: "natIps", reason: "nat_ips can't be given when nat_ip_allocate_option is AUTO_ONLY" }]
      : [],
  path: (inputs, { project, region }) =>
    `${project}/${region}/${lastPart(text(inputs, "router"))}/${text(inputs, "name")}`,
  parent: routerPath,
  admit: (request) => {
    refuseSecondForAll(request);
    return { outputs: { autoNetworkTier: "PREMIUM" } };
  },
};

function routerPath(inputs: Values, place: Place): string {
  return pathOf(text(inputs, "router"), "routers", "region", place);
}

/** A network's ranges can't go through two NATs of a region: Google refuses a second one for all of them. */
function refuseSecondForAll({ data, path, inputs, place }: Request): void {
  if (!optionalText(inputs, "sourceSubnetworkIpRangesToNat")?.startsWith("ALL_")) return;
  const networkOf = (one: string | undefined) => data.resources[one ?? ""]?.uses[0];
  const mine = networkOf(routerPath(inputs, place));
  const other = Object.entries(data.resources).find(
    ([otherPath, { type, parent }]) =>
      type === routerNat.token && otherPath !== path && networkOf(parent) === mine,
  );
  if (other === undefined) return;
  const why = `The subnetwork ranges of the network are in use by another NAT: '${other[0]}'.`;
  throw new ApiError(
    400,
    `Invalid value for field 'resource.nats[0].sourceSubnetworkIpRangesToNat': ''. ${why}`,
    "invalid",
  );
}
