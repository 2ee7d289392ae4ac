import { map, type Values } from "../../plugin/values.ts";

/**
 * What GKE makes of the endpoints whatever the arguments say: without an IP endpoint the private endpoint is the only
 * one, and the provider reads that back (terraform-provider-google#27901).
 */
export function forcedEndpoint(inputs: Values): Values {
  const ip = map(map(inputs, "controlPlaneEndpointsConfig"), "ipEndpointsConfig");
  return ip["enabled"] === false ? { privateClusterConfig: { enablePrivateEndpoint: true } } : {};
}

/** Authorized networks as GKE answers them: unless told otherwise, Google Cloud's public addresses are let in too. */
export function publicAccess(inputs: Values): Values {
  if (inputs["masterAuthorizedNetworksConfig"] === undefined) return {};
  const authorized = { gcpPublicCidrsAccessEnabled: true, ...map(inputs, "masterAuthorizedNetworksConfig") };
  return { masterAuthorizedNetworksConfig: authorized };
}
