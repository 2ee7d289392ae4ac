import { selfLink } from "./place.ts";
import type { Resource } from "./store.ts";

/** Returns the path of the project's default network. */
export function defaultNetworkPath(project: string): string {
  return `projects/${project}/global/networks/default`;
}

/**
 * Returns the network that Google creates when Compute Engine is enabled. The network is in auto mode: at Google, it
 * has a subnetwork in each region, within 10.128.0.0/9. These subnetworks are not emulated.
 *
 * @param id numeric ID of the network
 */
export function defaultNetwork(project: string, id: string): Resource {
  const path = defaultNetworkPath(project);
  const inputs = {
    name: "default",
    description: "Default network for the project",
    autoCreateSubnetworks: true,
    routingMode: "REGIONAL",
  };
  const outputs = { ...inputs, project, networkId: id, numericId: id, gatewayIpv4: "", mtu: 1460 };
  return {
    type: "gcp:compute/network:Network",
    inputs,
    outputs: { ...outputs, selfLink: selfLink(path) },
    status: "ready",
    uses: [],
    inner: {},
  };
}
