import { checkName, oneOf, between } from "../arguments.ts";
import { selfLink } from "../place.ts";
import { numericId, type ResourceType } from "../resource-type.ts";
import { text } from "../../plugin/values.ts";

/** A VPC. Without subnetworks there is no machine behind it. */
export const network: ResourceType = {
  token: "gcp:compute/network:Network",
  title: "Network",
  kind: "network",
  scope: "global",
  api: "compute.googleapis.com",
  autoNamed: true,
  arguments: {
    name: { change: "replace", check: checkName },
    description: { change: "replace" },
    autoCreateSubnetworks: { change: "replace", default: true },
    deleteDefaultRoutesOnCreate: { default: false },
    mtu: { check: between(1300, 8896) },
    routingMode: { check: oneOf("REGIONAL", "GLOBAL") },
    networkFirewallPolicyEnforcementOrder: {
      check: oneOf("BEFORE_CLASSIC_FIREWALL", "AFTER_CLASSIC_FIREWALL"),
    },
    project: { change: "replace" },
  },
  computed: ["selfLink", "gatewayIpv4", "networkId", "numericId"],
  refuse: (inputs) =>
    inputs["autoCreateSubnetworks"] === true
      ? [
          {
            property: "autoCreateSubnetworks",
            reason: "The local cloud makes no subnetworks by itself: set autoCreateSubnetworks to false",
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
