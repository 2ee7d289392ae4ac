import { between, checkName, notEmulated, oneOf } from "../model/checks.ts";
import { selfLink } from "../model/place.ts";
import { type ResourceType } from "../model/resource-type.ts";
import { numericId } from "../model/ids.ts";
import { text } from "../../plugin/values.ts";

/** A VPC network. It starts no hosts; its subnetwork does. */
export const network: ResourceType = {
  token: "gcp:compute/network:Network",
  title: "Network",
  kind: "network",
  scope: "global",
  api: "compute.googleapis.com",
  checks: {
    name: checkName,
    mtu: between(1300, 8896),
    routingMode: oneOf("REGIONAL", "GLOBAL"),
    networkFirewallPolicyEnforcementOrder: oneOf("BEFORE_CLASSIC_FIREWALL", "AFTER_CLASSIC_FIREWALL"),
    ...notEmulated("enableUlaInternalIpv6", "internalIpv6Range", "networkProfile"),
  },
  validate: (inputs) =>
    inputs["autoCreateSubnetworks"] === true
      ? [
          {
            property: "autoCreateSubnetworks",
            reason: "The local cloud does not support auto mode networks: set autoCreateSubnetworks to false",
          },
        ]
      : [],
  path: (inputs, { project }) => `projects/${project}/global/networks/${text(inputs, "name")}`,
  admit: ({ path, inputs, previous }) => {
    const id = previous?.outputs["numericId"] ?? numericId();
    return {
      outputs: {
        gatewayIpv4: "",
        networkId: id,
        numericId: id,
        selfLink: selfLink(path),
        mtu: inputs["mtu"] ?? 1460,
        routingMode: inputs["routingMode"] ?? "REGIONAL",
      },
    };
  },
};
