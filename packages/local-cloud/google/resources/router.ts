import { text, type Values } from "../../plugin/values.ts";
import { invalidFieldText } from "../model/api-error.ts";
import { checkName, notEmulated } from "../model/checks.ts";
import { pathOf, selfLink, type Place } from "../model/place.ts";
import { stamped, type ResourceType } from "../model/resource-type.ts";

/** A Cloud Router. The emulation only stores and returns it: the local VPC has its own router, and no egress. */
export const router: ResourceType = {
  token: "gcp:compute/router:Router",
  title: "Router",
  kind: "router",
  scope: "region",
  api: "compute.googleapis.com",
  checks: { name: checkName, ...notEmulated("nccGateway", "encryptedInterconnectRouter") },
  // Google requires a network for every router except that of an NCC Gateway. The exception makes the property optional
  // in the provider's schema.
  validate: (inputs) =>
    inputs["network"] === undefined
      ? [{ property: "network", reason: invalidFieldText("resource.network", "", "Must be specified") }]
      : [],
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
