import { maps, optionalText, text, texts, type Value } from "../../plugin/values.ts";
import { between, checkName, checkRange, oneOf, sameReference } from "../arguments.ts";
import { pathOf, selfLink } from "../place.ts";
import { stamped, type ResourceType } from "../resource-type.ts";

/** A firewall rule. Kept and answered; nothing in the local cloud's network enforces it. */
export const firewall: ResourceType = {
  token: "gcp:compute/firewall:Firewall",
  title: "Firewall",
  kind: "firewall",
  scope: "global",
  api: "compute.googleapis.com",
  autoNamed: true,
  arguments: {
    name: { change: "replace", check: checkName },
    network: { required: true, same: sameReference },
    allows: { check: checkRules },
    denies: { check: checkRules },
    description: {},
    destinationRanges: { check: checkRanges },
    direction: { change: "replace", check: oneOf("INGRESS", "EGRESS") },
    disabled: {},
    logConfig: {},
    priority: { default: 1000, check: between(0, 65535) },
    sourceRanges: { check: checkRanges },
    sourceServiceAccounts: { conflictsWith: ["sourceTags", "targetTags"] },
    sourceTags: { conflictsWith: ["sourceServiceAccounts", "targetServiceAccounts"] },
    targetServiceAccounts: { conflictsWith: ["sourceTags", "targetTags"] },
    targetTags: { conflictsWith: ["sourceServiceAccounts", "targetServiceAccounts"] },
    project: { change: "replace" },
  },
  computed: ["selfLink", "creationTimestamp"],
  refuse: (inputs) => {
    const given = ["allows", "denies"].filter((key) => inputs[key] !== undefined);
    if (given.length !== 1)
      return [{ property: "", reason: '"allow,deny": exactly one of them must be specified' }];
    const outwards = inputs["direction"] === "EGRESS";
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

function checkRanges(value: Value, argument: string): string | undefined {
  return texts({ value }, "value")
    .map((one) => checkRange(one, argument))
    .find((wrong) => wrong !== undefined);
}

/** Protocols that have ports, as Google knows them. */
const withPorts = ["tcp", "udp", "sctp", "6", "17", "132"];

function checkRules(value: Value, argument: string): string | undefined {
  for (const [n, rule] of maps({ value }, "value").entries()) {
    const protocol = optionalText(rule, "protocol");
    const field = `Invalid value for field 'resource.${argument}[${n}]`;
    if (protocol === undefined) return `${field}.protocol': ''. A protocol is required`;
    const ports = texts(rule, "ports");
    if (ports.length > 0 && !withPorts.includes(protocol.toLowerCase())) {
      return `${field}.ports': '${ports.join(",")}'. The protocol ${protocol} has no ports`;
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
