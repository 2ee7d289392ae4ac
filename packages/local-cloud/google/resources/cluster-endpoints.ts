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
 * Returns the argument masterAuthorizedNetworksConfig. If it doesn't set gcpPublicCidrsAccessEnabled, adds true, GKE's
 * default: Google Cloud's public addresses have access too. Returns no values if the argument is missing.
 */
export function publicAccess(inputs: Values): Values {
  if (inputs["masterAuthorizedNetworksConfig"] === undefined) return {};
  const authorized = { gcpPublicCidrsAccessEnabled: true, ...map(inputs, "masterAuthorizedNetworksConfig") };
  return { masterAuthorizedNetworksConfig: authorized };
}
