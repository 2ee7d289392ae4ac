import {
  contains,
  formatAddress,
  overlap,
  parseAddress,
  parseCidr,
  size,
  usableInSubnetwork,
} from "./cidr.ts";
import type { Range } from "./cidr.ts";
import { checkExposure, checkRemoteWrite } from "./gateway-checks.ts";
import type { Problem } from "./problems.ts";
import { valueAt } from "./problems.ts";

const RANGE_KEYS = [
  ["network", "primaryCidr"],
  ["network", "podCidr"],
  ["network", "serviceCidr"],
  ["network", "controlPlaneCidr"],
];
const ADDRESS_KEYS = [
  ["addresses", "pushGateway"],
  ["addresses", "prometheus"],
  ["addresses", "grafana"],
];

/** Of Google's compute resources: RFC 1035. */
const LONGEST_NAME = 63;

/**
 * What no key can be judged for alone. Works on the raw values, and passes over what is wrong by itself,
 * so that these problems are told together with those.
 */
export function crossChecks(raw: unknown): Problem[] {
  return [
    ...checkZone(raw),
    ...checkOverlaps(raw),
    ...checkAddresses(raw),
    ...checkPodRange(raw),
    ...checkEndpoint(raw),
    ...checkSpot(raw),
    ...checkPeers(raw),
    ...checkMail(raw),
    ...checkExposure(raw),
    ...checkRemoteWrite(raw),
  ];
}

function checkZone(raw: unknown): Problem[] {
  const region = valueAt(raw, ["region"]);
  const zone = valueAt(raw, ["zone"]);
  const judgeable = typeof region === "string" && typeof zone === "string" && region !== "" && zone !== "";
  if (!judgeable || zone.startsWith(`${region}-`)) return [];
  return [{ path: ["zone"], was: zone, allowed: `a zone of the region ${region}, like ${region}-b` }];
}

function checkOverlaps(raw: unknown): Problem[] {
  const ranges = RANGE_KEYS.flatMap((path) => withRange(raw, path));
  return ranges.flatMap((one, at) =>
    ranges
      .slice(0, at)
      .filter((other) => overlap(one.range, other.range))
      .map((other) => ({
        path: one.path,
        was: one.text,
        allowed: `a range that doesn't overlap ${other.path.join(".")} (${other.text})`,
      })),
  );
}

function checkAddresses(raw: unknown): Problem[] {
  const primary = withRange(raw, ["network", "primaryCidr"])[0];
  const addresses = ADDRESS_KEYS.flatMap((path) => {
    const was = valueAt(raw, path);
    const address = typeof was === "string" ? parseAddress(was) : undefined;
    return address === undefined ? [] : [{ path, was, address }];
  });
  const outside = addresses
    .filter(({ address }) => primary !== undefined && !usableInSubnetwork(primary.range, address))
    .map(({ path, was, address }) => ({
      path,
      was,
      allowed: usable(primary?.text, primary?.range, address),
    }));
  const twice = addresses
    .filter(({ address }, at) => addresses.findIndex((other) => other.address === address) < at)
    .map(({ path, was }) => ({ path, was, allowed: "an address that no other key has" }));
  return [...outside, ...twice];
}

function usable(text = "", range: Range = { first: 0, last: 0, prefix: 32 }, address = 0): string {
  const span = `${formatAddress(range.first + 2)} to ${formatAddress(range.last - 2)}`;
  const why = contains(range, address) ? "; Google keeps the first two and the last two of a range" : "";
  return `an address inside network.primaryCidr (${text}): ${span}${why}`;
}

/** A node takes a /24 of the pods' range, and an upgrade has one node more for a while. */
function checkPodRange(raw: unknown): Problem[] {
  const pods = withRange(raw, ["network", "podCidr"])[0];
  const nodes = valueAt(raw, ["cluster", "nodeCount"]);
  if (pods === undefined || typeof nodes !== "number" || pods.range.prefix > 24) return [];
  const room = size(pods.range.prefix) / size(24);
  if (nodes + 1 <= room) return [];
  return [
    {
      path: ["network", "podCidr"],
      was: pods.text,
      allowed: `a range with a /24 for each of ${nodes} nodes and one for upgrades; this has ${room}`,
    },
  ];
}

/** Two keys belong to the IP endpoint: its range, and who may reach it. */
function checkEndpoint(raw: unknown): Problem[] {
  const byAddress = valueAt(raw, ["cluster", "endpoint"]) === "ip";
  const path = ["cluster", "authorizedNetworks"];
  const networks = valueAt(raw, path);
  const isEmpty = !Array.isArray(networks) || networks.length === 0;
  const rangePath = ["network", "controlPlaneCidr"];
  const range = valueAt(raw, rangePath);
  if (byAddress) {
    const why = 'when cluster.endpoint is "ip"';
    return [
      ...(isEmpty ? [{ path, was: networks, allowed: `at least one IPv4 range ${why}` }] : []),
      ...(range === undefined
        ? [{ path: rangePath, was: range, allowed: `an IPv4 range of prefix /28 ${why}` }]
        : []),
    ];
  }
  const allowed = 'nothing unless cluster.endpoint is "ip"';
  return [
    ...(isEmpty ? [] : [{ path, was: networks, allowed }]),
    ...(range === undefined ? [] : [{ path: rangePath, was: range, allowed }]),
  ];
}

function checkSpot(raw: unknown): Problem[] {
  const spot = valueAt(raw, ["cluster", "spot"]);
  if (spot !== true || valueAt(raw, ["cluster", "acceptInterruptions"]) === true) return [];
  const allowed =
    "false, or true together with cluster.acceptInterruptions: true; every node holds state, and Google " +
    "takes a Spot node away at any time: pushes fail until another one comes";
  return [{ path: ["cluster", "spot"], was: spot, allowed }];
}

function checkPeers(raw: unknown): Problem[] {
  const path = ["network", "peers"];
  const peers = valueAt(raw, path);
  if (!Array.isArray(peers) || peers.length === 0) return [];
  if (valueAt(raw, ["network", "vpc"]) !== undefined) {
    return [{ path, was: peers, allowed: "nothing when network.vpc names an existing VPC" }];
  }
  const name = valueAt(raw, ["network", "name"]);
  if (peers.includes(name)) return [{ path, was: peers, allowed: "names of other VPCs, not network.name" }];
  if (!peers.some((peer) => `${String(name)}-to-${String(peer)}`.length > LONGEST_NAME)) return [];
  const allowed = `names that with network.name and "-to-" have at most ${LONGEST_NAME} characters`;
  return [{ path, was: peers, allowed }];
}

/** Mail needs a server, and a user's password is of use only with the user. */
function checkMail(raw: unknown): Problem[] {
  const email = valueAt(raw, ["alerts", "email"]);
  const server = valueAt(raw, ["alerts", "smtp"]);
  const user = valueAt(raw, ["alerts", "smtp", "user"]);
  const password = valueAt(raw, ["smtpPassword"]);
  const allowed: [boolean, string[], unknown, string][] = [
    [
      Array.isArray(email) && email.length > 0 && server === undefined,
      ["alerts", "smtp"],
      server,
      "a mail server (host, from) when alerts.email names somebody",
    ],
    [
      user !== undefined && password === undefined,
      ["smtpPassword"],
      password,
      "a secret when alerts.smtp.user is set: pulumi config set --secret smtpPassword",
    ],
    [
      user === undefined && password !== undefined,
      ["smtpPassword"],
      "[secret]",
      "nothing unless alerts.smtp.user is set",
    ],
  ];
  return allowed.filter(([wrong]) => wrong).map(([, path, was, allowed]) => ({ path, was, allowed }));
}

function withRange(raw: unknown, path: string[]) {
  const text = valueAt(raw, path);
  const range = typeof text === "string" ? parseCidr(text) : undefined;
  return typeof text === "string" && range !== undefined ? [{ path, text, range }] : [];
}
