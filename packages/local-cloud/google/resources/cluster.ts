import { createHash } from "node:crypto";
import { overlap } from "../../../../lib/cidr.ts";
import { map, optionalText, text, type Values } from "../../plugin/values.ts";
import { freeAddresses, hostsOf } from "../model/allocation.ts";
import { ApiError, invalidField } from "../model/api-error.ts";
import { range } from "../model/cidr.ts";
import { checkNodeAccount } from "../model/default-account.ts";
import type { Data } from "../model/store.ts";
import { lastPart, pathOf, type Place } from "../model/place.ts";
import { labelled, type Request, type ResourceType } from "../model/resource-type.ts";
import { clusterChecks, clusterEffects } from "./cluster-checks.ts";
import { forcedEndpoint, publicAccess } from "./cluster-endpoints.ts";
import { validateCluster } from "./cluster-validation.ts";
import { checkRangeAvailable } from "./network-ranges.ts";
import { secondaryRange } from "./subnetwork-ranges.ts";

export const clusterToken = "gcp:container/cluster:Cluster";

/** Version of the local cluster in GKE's format. */
export const version = "1.34.2-gke.1000000";

/** A cluster. Its creation starts a control plane without nodes. */
export const cluster: ResourceType = {
  token: clusterToken,
  title: "Cluster",
  kind: "cluster",
  scope: "location",
  api: "container.googleapis.com",
  checks: clusterChecks,
  effects: clusterEffects,
  forced: forcedEndpoint,
  validate: validateCluster,
  path: (inputs, { project, zone }) =>
    `projects/${project}/locations/${zone}/clusters/${text(inputs, "name")}`,
  uses: (inputs, place) => [networkPath(inputs, place), subnetworkPath(inputs, place)],
  admit,
  work: async ({ machines }, { inputs, outputs, inner }) => {
    const access = await machines.startCluster({
      name: text(inputs, "name"),
      address: hostsOf(inner)[0]?.address ?? "",
      podCidr: text(outputs, "clusterIpv4Cidr"),
      serviceCidr: text(outputs, "servicesIpv4Cidr"),
    });
    return accessOutputs(inputs, outputs, access);
  },
  afterTimeout: "kept",
  validateDeletion: ({ inputs }) => {
    if (inputs["deletionProtection"] === false) return;
    throw new Error(
      "Cannot destroy cluster because deletion_protection is set to true. Set it to false to proceed with cluster deletion.",
    );
  },
  remove: ({ machines }) => machines.stopCluster(),
};

function subnetworkPath(inputs: Values, place: Place): string {
  const reference = optionalText(inputs, "subnetwork");
  if (reference === undefined) {
    throw new ApiError(400, "The local cloud requires the cluster's subnetwork", "localLimit");
  }
  return pathOf(reference, "subnetworks", "region", place);
}

function admit({ path, inputs, place, data, previous }: Request) {
  const subnetwork = subnetworkPath(inputs, place);
  const ranges = data.resources[subnetwork]?.inputs ?? {};
  checkNetwork(inputs, place, data);
  if (previous === undefined) {
    checkNodeAccount(data, place.project, inputs);
    checkOwnRanges(inputs, place, data);
  }
  const address =
    hostsOf(previous?.inner ?? {})[0]?.address ??
    freeAddresses(data, subnetwork, range(text(ranges, "ipCidrRange")), 1)[0] ??
    "";
  const podCidr = clusterRange("cluster", inputs, data, subnetwork);
  const serviceCidr = clusterRange("services", inputs, data, subnetwork);
  return {
    outputs: {
      ...labelled(inputs, "resourceLabels"),
      selfLink: `https://container.googleapis.com/v1/${path.replace("/locations/", "/zones/")}`,
      clusterIpv4Cidr: podCidr,
      servicesIpv4Cidr: serviceCidr,
      ipAllocationPolicy: {
        ...map(inputs, "ipAllocationPolicy"),
        clusterIpv4CidrBlock: podCidr,
        servicesIpv4CidrBlock: serviceCidr,
      },
      masterVersion: version,
      nodeVersion: version,
      nodeLocations: inputs["nodeLocations"] ?? [],
      ...publicAccess(inputs),
      operation: "",
      // An update keeps the previous values of these outputs until the type's function `work` has finished and sets
      // them again.
      ...onlyKnown(previous?.outputs, ["endpoint", "masterAuth"]),
    },
    inner: { subnetwork, machines: [{ name: "control-plane", address }] },
  };
}

function networkPath(inputs: Values, place: Place): string {
  return pathOf(text(inputs, "network"), "networks", "global", place);
}

/** Checks that the subnetwork belongs to the network. */
function checkNetwork(inputs: Values, place: Place, data: Data): void {
  const [network, subnetwork] = [networkPath(inputs, place), subnetworkPath(inputs, place)];
  if (data.resources[subnetwork]?.uses.includes(network) !== false) return;
  const why = `Subnetwork "${subnetwork}" is not valid for Network "${lastPart(network)}".`;
  throw new ApiError(400, why, "badRequest");
}

/**
 * Checks that the IP ranges that GKE creates are free: the control plane's range, and the ranges of pods and of
 * Services if these are given as CIDRs.
 */
function checkOwnRanges(inputs: Values, place: Place, data: Data): void {
  const policy = map(inputs, "ipAllocationPolicy");
  const control = optionalText(map(inputs, "privateClusterConfig"), "masterIpv4CidrBlock");
  const pods = optionalText(policy, "clusterIpv4CidrBlock");
  const services = optionalText(policy, "servicesIpv4CidrBlock");
  const own = [
    { field: "resource.ipCidrRange", cidr: control },
    { field: "resource.secondaryIpRanges[0].ipCidrRange", cidr: pods },
    { field: "resource.secondaryIpRanges[1].ipCidrRange", cidr: services },
  ].flatMap(({ field, cidr }) => (cidr === undefined ? [] : [{ field, cidr }]));
  for (const [n, { field, cidr }] of own.entries()) {
    checkRangeAvailable(data, networkPath(inputs, place), { field, cidr });
    const other = own.slice(0, n).find((one) => overlap(range(one.cidr), range(cidr)));
    if (other === undefined) continue;
    throw invalidField(
      field,
      cidr,
      `Invalid IPCidrRange: ${cidr} conflicts with '${other.cidr}' of the cluster.`,
    );
  }
}

function onlyKnown(outputs: Values | undefined, keys: string[]): Values {
  return Object.fromEntries(
    keys.flatMap((key) => (outputs?.[key] === undefined ? [] : [[key, outputs[key]]])),
  );
}

/** Returns the range of pods or Services, given as CIDR or as the name of a secondary range. */
function clusterRange(kind: "cluster" | "services", inputs: Values, data: Data, subnetwork: string): string {
  const policy = map(inputs, "ipAllocationPolicy");
  const given = optionalText(policy, `${kind}Ipv4CidrBlock`);
  if (given !== undefined) return given;
  const name = text(policy, `${kind}SecondaryRangeName`);
  const cidr = secondaryRange(data.resources[subnetwork]?.inputs ?? {}, name);
  if (cidr !== undefined) return cidr;
  const network = optionalText(data.resources[subnetwork]?.outputs ?? {}, "network") ?? "";
  const what = kind === "cluster" ? "Pod" : "Services";
  throw new ApiError(
    400,
    `${what} secondary range "${name}" not found in network "${network}", subnetwork "${lastPart(subnetwork)}".`,
    "badRequest",
  );
}

/** Returns the outputs for access to the cluster. */
function accessOutputs(
  inputs: Values,
  outputs: Values,
  access: { endpoint: string; caCertificate: string },
): Values {
  const endpoints = map(inputs, "controlPlaneEndpointsConfig");
  const digest = createHash("sha256").update(text(outputs, "selfLink")).digest("hex").slice(0, 32);
  return {
    endpoint: access.endpoint,
    masterAuth: {
      ...map(inputs, "masterAuth"),
      clientCertificate: "",
      clientKey: "",
      clusterCaCertificate: access.caCertificate,
    },
    privateClusterConfig: {
      ...map(inputs, "privateClusterConfig"),
      ...map(forcedEndpoint(inputs), "privateClusterConfig"),
      privateEndpoint: access.endpoint,
      publicEndpoint: access.endpoint,
    },
    controlPlaneEndpointsConfig: {
      ...endpoints,
      dnsEndpointConfig: {
        ...map(endpoints, "dnsEndpointConfig"),
        // Google's format of the DNS endpoint; the name does not resolve.
        endpoint: `gke-${digest}.${text(outputs, "location").replace(/-[a-z]$/, "")}.gke.goog`,
      },
    },
  };
}
