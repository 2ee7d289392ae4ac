import { maps, text, texts, type Value } from "../../plugin/values.ts";
import { between, checkName, checkRange, oneOf } from "../model/checks.ts";
import { pathOf, selfLink } from "../model/place.ts";
import { stamped, type ResourceType } from "../model/resource-type.ts";
import type { Location } from "../../plugin/schema/validate.ts";

/** A firewall rule. Stored and returned, but not enforced in the local cloud. */
export const firewall: ResourceType = {
  token: "gcp:compute/firewall:Firewall",
  title: "Firewall",
  kind: "firewall",
  scope: "global",
  api: "compute.googleapis.com",
  checks: {
    name: checkName,
    allows: checkRules,
    denies: checkRules,
    destinationRanges: checkRange,
    direction: oneOf("INGRESS", "EGRESS"),
    priority: between(0, 65535),
    sourceRanges: checkRange,
  },
  validate: (inputs) => {
    const outwards = inputs["direction"] === "EGRESS";
    const sources = ["sourceRanges", "sourceTags", "sourceServiceAccounts"];
    if (!outwards && sources.every((source) => isEmpty(inputs[source]))) {
      const reason = "one of source_tags, source_ranges, or source_service_accounts must be defined";
      return [{ property: "", reason }];
    }
    const wrong = outwards ? "sourceRanges" : "destinationRanges";
    if (inputs[wrong] === undefined) return [];
    const reason = `${wrong} can't be given for ${outwards ? "EGRESS" : "INGRESS"} rules`;
    return [{ property: wrong, reason }];
  },
  path: (inputs, { project }) => `projects/${project}/global/firewalls/${text(inputs, "name")}`,
  uses: (inputs, place) => [pathOf(text(inputs, "network"), "networks", "global", place)],
  admit: ({ path, inputs, place, previous }) => ({
    outputs: {
      ...stamped(previous, selfLink(path)),
      network: selfLink(pathOf(text(inputs, "network"), "networks", "global", place)),
      direction: inputs["direction"] ?? "INGRESS",
      destinationRanges: inputs["destinationRanges"] ?? [],
    },
  }),
};

function isEmpty(value: Value | undefined): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0);
}

/** Protocols with ports. */
const withPorts = ["tcp", "udp", "sctp", "6", "17", "132"];

function checkRules(value: Value, { pulumi }: Location): string | undefined {
  for (const [n, rule] of maps({ value }, "value").entries()) {
    const protocol = text(rule, "protocol");
    const field = `Invalid value for field 'resource.${pulumi}[${n}]`;
    const ports = texts(rule, "ports");
    if (ports.length > 0 && !withPorts.includes(protocol.toLowerCase())) {
      return `${field}.ports': '${ports.join(",")}'. The protocol ${protocol} does not have ports`;
    }
    const wrong = ports.find((port) => !isPortRange(port));
    if (wrong !== undefined)
      return `${field}.ports': '${wrong}'. Must be a port or a range of ports, 0 to 65535`;
  }
  return undefined;
}

function isPortRange(port: string): boolean {
  const [first = NaN, last = first, ...more] = port
    .split("-")
    .map((part) => (/^\d+$/.test(part) ? Number(part) : NaN));
  return more.length === 0 && first <= last && last <= 65535;
}
