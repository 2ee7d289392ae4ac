import { long2ip } from "netmask";
import { text } from "../../plugin/values.ts";
import { ApiError, invalidField } from "../model/api-error.ts";
import { checkAddress, checkName, oneOf } from "../model/checks.ts";
import { range } from "../model/cidr.ts";
import { selfLink } from "../model/place.ts";
import { labelled, stamped, type Request, type ResourceType } from "../model/resource-type.ts";

const token = "gcp:compute/globalAddress:GlobalAddress";
/** Range of emulated global addresses, reserved for documentation by RFC 5737. */
const PUBLIC = range("203.0.113.0/24");

/** A reserved global address for a load balancer. */
export const globalAddress: ResourceType = {
  token,
  title: "GlobalAddress",
  kind: "global_address",
  scope: "global",
  api: "compute.googleapis.com",
  checks: {
    name: checkName,
    address: checkAddress,
    addressType: oneOf("EXTERNAL", "INTERNAL"),
    ipVersion: oneOf("IPV4"),
  },
  validate: (inputs) =>
    inputs["addressType"] === "INTERNAL"
      ? [
          {
            property: "addressType",
            reason: "The local cloud does not support private services access: use EXTERNAL",
          },
        ]
      : [],
  path: (inputs, { project }) => `projects/${project}/global/addresses/${text(inputs, "name")}`,
  // Returns the path of the load balancer's forwarding rule, with a simpler name than GKE's, which contains hashes. A
  // global address has no output `users`, in the real provider neither.
  deletionBlockers: async ({ machines }, path, { outputs }) => {
    const ingress = await machines.serviceWithAddress(text(outputs, "address"));
    const project = path.split("/")[1] ?? "";
    return ingress === undefined
      ? []
      : [`projects/${project}/global/forwardingRules/k8s2-fs-${ingress.replace("/", "-")}`];
  },
  admit: (request) => ({
    outputs: {
      ...stamped(request.previous, selfLink(request.path)),
      ...labelled(request.inputs),
      address: request.previous?.outputs["address"] ?? reserve(request),
      prefixLength: request.inputs["prefixLength"] ?? 0,
    },
  }),
  work: async ({ machines }, { inputs, outputs }) => {
    await machines.setGlobalAddress(text(inputs, "name"), text(outputs, "address"));
    return {};
  },
  remove: ({ machines }, { inputs }) => machines.setGlobalAddress(text(inputs, "name"), undefined),
};

/** Returns a free address. @throws ApiError when a specific address is requested, or none is free */
function reserve({ data, inputs }: Request): string {
  if (inputs["address"] !== undefined) {
    const why = "Google chooses external addresses. Omit the argument.";
    throw invalidField("resource.address", text(inputs, "address"), why);
  }
  const taken = Object.values(data.resources).filter(({ type }) => type === token);
  for (let number = PUBLIC.netLong + 1; number < PUBLIC.netLong + PUBLIC.size - 1; number++) {
    const address = long2ip(number);
    if (!taken.some(({ outputs }) => outputs["address"] === address)) return address;
  }
  throw new ApiError(403, "Quota 'STATIC_ADDRESSES' exceeded.", "quotaExceeded");
}
