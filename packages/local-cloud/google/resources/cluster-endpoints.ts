import { map, type Values } from "../../plugin/values.ts";

/**
 * Returns the values that GKE forces: in a cluster without IP endpoints, GKE sets enablePrivateEndpoint to true, and
 * the provider reads this value back (terraform-provider-google#27901).
 */
export function forcedEndpoint(inputs: Values): Values {
  const ip = map(map(inputs, "controlPlaneEndpointsConfig"), "ipEndpointsConfig");
  return ip["enabled"] === false ? { privateClusterConfig: { enablePrivateEndpoint: true } } : {};
}

/**
 * Returns the argument masterAuthorizedNetworksConfig with GKE's default, which also allows Google Cloud's public
 * addresses. Returns no values if the argument is missing.
 */
export function publicAccess(inputs: Values): Values {
  if (inputs["masterAuthorizedNetworksConfig"] === undefined) return {};
  const authorized = { gcpPublicCidrsAccessEnabled: true, ...map(inputs, "masterAuthorizedNetworksConfig") };
  return { masterAuthorizedNetworksConfig: authorized };
}
