import { text } from "../../plugin/values.ts";
import { ApiError, invalidField } from "../api-error.ts";
import { checkAddress, checkName, oneOf } from "../checks.ts";
import { formatAddress, range } from "../cidr.ts";
import { selfLink } from "../place.ts";
import { labelled, stamped, type Request, type ResourceType } from "../resource-type.ts";

const token = "gcp:compute/globalAddress:GlobalAddress";
/** Google's own of the internet here: a range that RFC 5737 keeps for documentation, so that it is nobody's. */
const PUBLIC = range("203.0.113.0/24");

/** A reserved address on the internet, for a load balancer of Google's front end. */
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
  refuse: (inputs) =>
    inputs["addressType"] === "INTERNAL"
      ? [
          {
            property: "addressType",
            reason: "The local cloud has no private access to services: use EXTERNAL",
          },
        ]
      : [],
  path: (inputs, { project }) => `projects/${project}/global/addresses/${text(inputs, "name")}`,
  // Names that are GKE's but for the digits. The real provider shows no users of it.
  holders: async ({ machines }, path, { outputs }) => {
    const ingress = await machines.addressHolder(text(outputs, "address"));
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
};

/** A free address. @throws ApiError when one is asked for by its number, or none is left */
function reserve({ data, inputs }: Request): string {
  if (inputs["address"] !== undefined) {
    const why = "Only Google chooses the addresses of the internet.";
    throw invalidField("resource.address", text(inputs, "address"), why);
  }
  const taken = Object.values(data.resources).filter(({ type }) => type === token);
  for (let number = PUBLIC.first + 1; number < PUBLIC.last; number++) {
    const address = formatAddress(number);
    if (!taken.some(({ outputs }) => outputs["address"] === address)) return address;
  }
  throw new ApiError(403, "Quota 'STATIC_ADDRESSES' exceeded.", "quotaExceeded");
}
