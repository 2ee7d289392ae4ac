import { optionalText, text, type Values } from "../../plugin/values.ts";
import { freeAddresses, checkAddressAvailable } from "../model/allocation.ts";
import { ApiError, invalidField } from "../model/api-error.ts";
import { checkAddress, checkName, notEmulated, oneOf } from "../model/checks.ts";
import { range } from "../model/cidr.ts";
import { pathOf, selfLink, type Place } from "../model/place.ts";
import { labelled, stamped, type Backend, type Request, type ResourceType } from "../model/resource-type.ts";
import type { Resource } from "../model/store.ts";

/** A reserved address of a subnetwork. Only internal addresses are supported. */
export const address: ResourceType = {
  token: "gcp:compute/address:Address",
  title: "Address",
  kind: "address",
  scope: "region",
  api: "compute.googleapis.com",
  checks: {
    name: checkName,
    address: checkAddress,
    addressType: oneOf("INTERNAL", "EXTERNAL"),
    ipVersion: oneOf("IPV4"),
    networkTier: oneOf("PREMIUM", "STANDARD"),
    purpose: oneOf("GCE_ENDPOINT", "SHARED_LOADBALANCER_VIP"),
    ...notEmulated("ipv6EndpointType"),
  },
  validate: (inputs) =>
    inputs["addressType"] === "EXTERNAL"
      ? [
          {
            property: "addressType",
            reason: "The local cloud does not support external addresses: use INTERNAL",
          },
        ]
      : [],
  path: (inputs, { project, region }) =>
    `projects/${project}/regions/${region}/addresses/${text(inputs, "name")}`,
  uses: (inputs, place) => {
    const path = subnetworkPath(inputs, place);
    return path === undefined ? [] : [path];
  },
  users: forwardingRules,
  deletionBlockers: forwardingRules,
  admit: (request) => {
    const { path, inputs, place, previous } = request;
    const subnetwork = subnetworkPath(inputs, place);
    return {
      outputs: {
        ...stamped(previous, selfLink(path)),
        ...labelled(inputs),
        address: previous?.outputs["address"] ?? reserve(request, subnetwork),
        subnetwork: subnetwork === undefined ? undefined : selfLink(subnetwork),
        networkTier: inputs["networkTier"] ?? "PREMIUM",
        purpose: inputs["purpose"] ?? "GCE_ENDPOINT",
        prefixLength: inputs["prefixLength"] ?? 0,
      },
      inner: { subnetwork: subnetwork ?? "" },
    };
  },
};

/**
 * Returns the path of the load balancer's forwarding rule that uses the address, or an empty list. Unlike at Google,
 * the forwarding rule's name contains no hash.
 */
async function forwardingRules(
  { machines }: Backend,
  path: string,
  { outputs }: Resource,
): Promise<string[]> {
  const [project = "", region = ""] = [path.split("/")[1], path.split("/")[3]];
  const service = await machines.serviceWithAddress(text(outputs, "address"));
  if (service === undefined) return [];
  return [`projects/${project}/regions/${region}/forwardingRules/k8s2-tcp-${service.replace("/", "-")}`];
}

function subnetworkPath(inputs: Values, place: Place): string | undefined {
  const reference = optionalText(inputs, "subnetwork");
  return reference === undefined ? undefined : pathOf(reference, "subnetworks", "region", place);
}

/** Returns the requested address or a free one. @throws ApiError if the subnetwork or the address is unusable */
function reserve({ data, inputs, place }: Request, subnetwork: string | undefined): string {
  const found = subnetwork === undefined ? undefined : data.resources[subnetwork];
  if (subnetwork === undefined || found === undefined) {
    throw invalidField(
      "resource.subnetwork",
      "",
      "No default subnetwork was found for an address with type INTERNAL.",
    );
  }
  if (!subnetwork.includes(`/regions/${place.region}/`)) {
    const why = `The subnetwork must be in the same region as the address, '${place.region}'.`;
    throw new ApiError(
      400,
      `Invalid value for field 'resource.subnetwork': '${subnetwork}'. ${why}`,
      "invalid",
    );
  }
  const primary = range(text(found.inputs, "ipCidrRange"));
  const wanted = optionalText(inputs, "address");
  if (wanted === undefined) return freeAddresses(data, subnetwork, primary, 1)[0] ?? "";
  checkAddressAvailable(data, subnetwork, primary, wanted);
  return wanted;
}
