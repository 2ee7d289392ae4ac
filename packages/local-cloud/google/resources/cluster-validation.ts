import { overlap, parseCidr } from "../../../../lib/cidr.ts";
import { isKnown, map, maps, optionalText, type Values } from "../../plugin/values.ts";
import type { Failure } from "../../plugin/plugin.ts";
import { range } from "../model/cidr.ts";

/** Private address ranges (RFC 1918). The authorized networks of a private endpoint must be in them. */
const privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

/** Validates combinations of a cluster's arguments, including limits of the local cloud. */
export function validateCluster(inputs: Values): Failure[] {
  return [
    ...validatePools(inputs),
    ...validatePolicy(inputs),
    ...validateAllocation(map(inputs, "ipAllocationPolicy")),
    ...validateEndpoints(inputs),
  ];
}

function validatePools(inputs: Values): Failure[] {
  if (inputs["removeDefaultNodePool"] !== true) {
    const reason =
      "The local cloud supports nodes of container.NodePool only: set removeDefaultNodePool to true";
    return [{ property: "removeDefaultNodePool", reason }];
  }
  if (inputs["initialNodeCount"] !== undefined && inputs["initialNodeCount"] !== 0) return [];
  const reason = "Cluster.initial_node_count must be greater than zero.";
  return [{ property: "initialNodeCount", reason }];
}

/**
 * Validates the arguments for network policies. With Dataplane V2, neither `networkPolicy` nor the network policy
 * add-on may be enabled, because Dataplane V2 enforces policies itself. Without Dataplane V2, `networkPolicy` enables
 * Calico, so the add-on must not be disabled.
 */
function validatePolicy(inputs: Values): Failure[] {
  const addon = map(map(inputs, "addonsConfig"), "networkPolicyConfig")["disabled"];
  const enabled = map(inputs, "networkPolicy")["enabled"] === true;
  if (inputs["datapathProvider"] === "ADVANCED_DATAPATH" && (enabled || addon === false)) {
    const reason =
      "Enabling NetworkPolicy for clusters with DatapathProvider=ADVANCED_DATAPATH is not allowed.";
    return [{ property: enabled ? "networkPolicy" : "addonsConfig", reason }];
  }
  if (!enabled || addon !== true) return [];
  const reason = "The network policy addon must be enabled before network policy can be enabled.";
  return [{ property: "addonsConfig", reason }];
}

function validateAllocation(ips: Values): Failure[] {
  const failures: Failure[] = [];
  const fail = (reason: string): void => {
    failures.push({ property: "ipAllocationPolicy", reason });
  };
  for (const kind of ["cluster", "services"]) {
    const [block, name] = [`${kind}Ipv4CidrBlock`, `${kind}SecondaryRangeName`];
    if (ips[block] === undefined && ips[name] === undefined) {
      fail(`The local cloud requires ipAllocationPolicy.${name} or ${block}`);
    }
  }
  const [pods, services] = [ips["clusterSecondaryRangeName"], ips["servicesSecondaryRangeName"]];
  if (typeof pods === "string" && isKnown(pods) && pods === services) {
    fail(`Pod secondary range name (${pods}) should not be the same as service secondary range name.`);
  }
  return failures;
}

/** Validates the endpoints of the control plane and the authorized networks. */
function validateEndpoints(inputs: Values): Failure[] {
  const failures: Failure[] = [];
  const privately = map(inputs, "privateClusterConfig");
  if (
    privately["masterIpv4CidrBlock"] !== undefined &&
    privately["privateEndpointSubnetwork"] !== undefined
  ) {
    const reason = "When masterIpv4Cidr is set, privateEndpointSubnetwork must be unset.";
    failures.push({ property: "privateClusterConfig", reason });
  }
  const authorized = inputs["masterAuthorizedNetworksConfig"];
  const endpoints = map(inputs, "controlPlaneEndpointsConfig");
  const byName = map(endpoints, "ipEndpointsConfig")["enabled"] === false;
  if (privately["enablePrivateEndpoint"] === true && !byName) {
    if (authorized === undefined) {
      const reason = "Master authorized networks must be enabled if private endpoint is enabled.";
      failures.push({ property: "masterAuthorizedNetworksConfig", reason });
    }
    failures.push(...validatePublic(map(inputs, "masterAuthorizedNetworksConfig")));
  }
  if (!byName) return failures;
  if (authorized !== undefined) {
    const reason = "Authorized networks can't be given when the IP endpoints are disabled.";
    failures.push({ property: "masterAuthorizedNetworksConfig", reason });
  }
  const external = map(endpoints, "dnsEndpointConfig")["allowExternalTraffic"];
  if (external === undefined || external === false) {
    const reason =
      "At least one endpoint of the control plane must be enabled: ipEndpointsConfig, or dnsEndpointConfig with allowExternalTraffic.";
    failures.push({ property: "controlPlaneEndpointsConfig", reason });
  }
  return failures;
}

function validatePublic(authorized: Values): Failure[] {
  return maps(authorized, "cidrBlocks").flatMap((block) => {
    const cidr = optionalText(block, "cidrBlock") ?? "";
    const parsed = parseCidr(cidr);
    if (parsed === undefined || privateRanges.some((one) => overlap(range(one), parsed))) return [];
    const reason = `Invalid master authorized networks: network "${cidr}" is not a reserved network, which is required for private endpoints.`;
    return [{ property: "masterAuthorizedNetworksConfig", reason }];
  });
}
