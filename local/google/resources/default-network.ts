import { selfLink } from "../place.ts";
import type { Resource } from "../store.ts";

/** Path of the network that a project has from the start. */
export function defaultNetworkPath(project: string): string {
  return `projects/${project}/global/networks/default`;
}

/**
 * The network that Google makes once in every project, when Compute Engine is switched on. It is in auto
 * mode; the subnetworks that Google makes in it, one in each region, all in 10.128.0.0/9, are not here.
 *
 * @param id the network's numeric id
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
