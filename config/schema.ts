import { z } from "zod";
import { overlap, parseAddress, parseCidr } from "./cidr.ts";

/** A string that fulfils `check`; `allowed` says in words what is allowed. */
function text(allowed: string, check: RegExp | ((value: string) => boolean)) {
  const fulfils = (value: string) => (check instanceof RegExp ? check.test(value) : check(value));
  return z.string({ error: allowed }).refine(fulfils, { error: allowed });
}

/** A whole number from `least` to `most`. */
function whole(least: number, most: number, unit = "") {
  const error = `a whole number from ${least} to ${most}${unit}`;
  return z.number({ error }).int({ error }).min(least, { error }).max(most, { error });
}

/** A map whose keys are all known. */
function group<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, { error: objectProblem(Object.keys(shape)) });
}

function objectProblem(keys: string[]) {
  return (issue: { code?: string }) =>
    issue.code === "invalid_type" ? `a map with keys of ${keys.join(", ")}` : undefined;
}

function cidr(least: number, most: number) {
  const allowed =
    least === most
      ? `an IPv4 range of prefix /${least} whose address is its first, like 10.250.16.0/28`
      : `an IPv4 range with a prefix from /${least} to /${most} whose address is its first, like 10.248.0.0/20`;
  return text(allowed, (value) => {
    const range = parseCidr(value);
    return range !== undefined && range.prefix >= least && range.prefix <= most;
  });
}

/** Ranges that no subnetwork may have: cloud.google.com/vpc/docs/subnets#prohibited-ranges. */
const PROHIBITED = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4"];

/** A range of a subnetwork. */
function subnetworkRange(least: number, most: number) {
  return cidr(least, most).refine(
    (value) => {
      const range = parseCidr(value);
      return !PROHIBITED.some((text) => {
        const prohibited = parseCidr(text);
        return range !== undefined && prohibited !== undefined && overlap(range, prohibited);
      });
    },
    { error: `a range outside those that no subnetwork may have (${PROHIBITED.join(", ")})` },
  );
}

const address = text(
  "an IPv4 address, like 10.248.1.4",
  (value: string) => parseAddress(value) !== undefined,
);

/** RFC 1035 as Google's compute API wants it; `most` characters. */
function googleName(most: number, why = "") {
  return text(
    `a name Google takes: lower-case letters, digits and dashes, a letter first, no dash last, ` +
      `1 to ${most} characters${why}`,
    new RegExp(`^[a-z]([a-z0-9-]{0,${most - 2}}[a-z0-9])?$`),
  );
}

const image = text(
  "an image with a tag or digest, like quay.io/prometheus/pushgateway:v1.11.1",
  /^[a-z0-9]+([./_:-]+[a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9._-]*|@sha256:[0-9a-f]{64})$/,
);

const crds = text(
  "an https:// URL of a folder, or an absolute path of one; ${NAME} in it stands for a variable of the environment",
  (value) => (value.includes("://") ? isHttpsUrl(value) : /^(\/|\$\{)/.test(value)),
);

function isHttpsUrl(value: string): boolean {
  return value.startsWith("https://") && URL.canParse(value) && new URL(value).hostname.includes(".");
}

const MAIL = "an e-mail address, like ci@example.org";

function url(protocols: string[], example: string) {
  return text(
    `a URL, like ${example}`,
    (value) => URL.canParse(value) && protocols.includes(new URL(value).protocol),
  );
}

function isWebUrl(value: string): boolean {
  return /^https?:\/\/[^/?#@]+([/?#]|$)/.test(value) && URL.canParse(value);
}

const RANGES_OR_ANYWHERE = 'a list of IPv4 ranges, like [203.0.113.0/24], or "anywhere"';

/** Labels of letters, digits and inner dashes; the last one of letters, so that it is no address. */
const DOMAIN = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;

/**
 * Every key of the stack's configuration, its type, what is allowed and its default. A key without a
 * default has to be given in every stack.
 */
export const schema = group({
  /** Google project. */
  project: text(
    "the id of a Google project: 6 to 30 lower-case letters, digits and dashes, a letter first, no dash last",
    /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/,
  ),
  region: text("a Google region, like us-central1", /^[a-z]+-[a-z]+[0-9]+$/),
  zone: text("a Google zone, like us-central1-b", /^[a-z]+-[a-z]+[0-9]+-[a-z]$/),
  cluster: group({
    /** Also the prefix of disks, addresses and the nodes' account; hence its length. */
    name: googleName(24, ' (the nodes\' account, "NAME-nodes", may have 30)'),
    nodeCount: whole(1, 100),
    machineType: text("a machine type, like e2-standard-2", /^[a-z][a-z0-9]*(-[a-z0-9]+)+$/).default(
      "e2-standard-2",
    ),
    /** A node's own disk: system, images, logs. 10 GiB is the least that Google takes. */
    nodeDiskGb: whole(10, 65536, " GiB").default(30),
    /** Cheaper nodes that Google may take away at any time: only together with `acceptInterruptions`. */
    spot: z.boolean({ error: "true or false" }).default(false),
    /** Says that nobody minds when Prometheus, the gateway and Grafana are away until another node comes. */
    acceptInterruptions: z.boolean({ error: "true or false" }).default(false),
    /** Who enforces network policies. */
    networkPolicy: z
      .enum(["dataplane-v2", "calico"], { error: '"dataplane-v2" or "calico"' })
      .default("dataplane-v2"),
    /** Off only where the environment is thrown away. */
    deletionProtection: z.boolean({ error: "true or false" }).default(true),
    /** "dns": the control plane's name, guarded by IAM. "ip": its address, for `authorizedNetworks`. */
    endpoint: z.enum(["dns", "ip"], { error: '"dns" or "ip"' }).default("dns"),
    authorizedNetworks: z
      .array(cidr(1, 32), { error: "a list of IPv4 ranges, like [203.0.113.0/24]" })
      .default([]),
  }),
  network: group({
    /** Of what is made: subnetwork, router and NAT, and the VPC unless `vpc` names another. */
    name: googleName(50, ' (with "-ssh-to-ci" or "-to-PEER" it may have 63)'),
    /** A VPC of the project that is there already. */
    vpc: googleName(63).optional(),
    /** VPCs of the project whose machines are to reach this one's. */
    peers: z.array(googleName(63), { error: "a list of names of VPCs, like [default]" }).default([]),
    primaryCidr: subnetworkRange(8, 27),
    podCidr: subnetworkRange(9, 24),
    serviceCidr: subnetworkRange(16, 27),
    controlPlaneCidr: subnetworkRange(28, 28),
  }),
  addresses: group({ pushGateway: address, prometheus: address, grafana: address }),
  /** Who may push and read over the reserved addresses. */
  ciSourceRanges: z
    .array(cidr(1, 32), { error: "a list of IPv4 ranges, like [10.248.0.0/20]" })
    .min(1, { error: "a list of at least one IPv4 range, like [10.248.0.0/20]" }),
  disks: group({
    prometheusGb: whole(10, 65536, " GiB").default(200),
    pushGatewayGb: whole(10, 65536, " GiB").default(10),
    grafanaGb: whole(10, 65536, " GiB").default(10),
    /** Whether the engine refuses to delete them. Off only where the history is thrown away. */
    protect: z.boolean({ error: "true or false" }).default(true),
  }).prefault({}),
  /** Replacements of versions.ts, for a registry of one's own. */
  images: group({
    operator: image.optional(),
    configReloader: image.optional(),
    prometheus: image.optional(),
    pushGateway: image.optional(),
    /** Node 20 or newer. */
    pushGuard: image.optional(),
    grafana: image.optional(),
  }).prefault({}),
  pushGateway: group({
    /**
     * Where pushes come from. "internal": the VPC, for `ciSourceRanges`. "in-cluster": jobs in the cluster
     * alone. "external": the internet too, over TLS.
     */
    exposure: z
      .enum(["internal", "in-cluster", "external"], { error: '"internal", "in-cluster" or "external"' })
      .default("internal"),
    /** Whether the push gateway asks for a (generated) password. */
    auth: z.boolean({ error: "true or false" }).default(false),
    /** Only with "external": the name that the internet knows it by, and the certificate is for. */
    domain: text("a domain name, like push.example.com", DOMAIN).optional(),
    /** Only with "external": who may push from the internet. */
    sourceRanges: z
      .union([z.literal("anywhere"), z.array(cidr(1, 32)).min(1, { error: RANGES_OR_ANYWHERE })], {
        error: RANGES_OR_ANYWHERE,
      })
      .optional(),
  }).prefault({}),
  /** Where Prometheus sends all that it stores, besides keeping it. */
  remoteWrite: group({
    url: text("an http:// or https:// URL, like https://mimir.example.com/api/v1/push", isWebUrl),
    /** Of basic authentication; its password is `remoteWritePassword`. */
    user: text("a user's name", /^[^:\s]+$/).optional(),
  }).optional(),
  /** The password of `remoteWrite.user`: `pulumi config set --secret remoteWritePassword`. */
  remoteWritePassword: z.string().optional(),
  /** Where the operator's resource definitions come from; their checksums are in the code. */
  crds,
  grafana: group({
    /** "tunnel": through the Kubernetes API while the program runs. "direct": the address is in reach. */
    access: z.enum(["tunnel", "direct"], { error: '"tunnel" or "direct"' }).default("tunnel"),
    /** The port of 127.0.0.1 that the tunnel listens on; fixed, since it is in the provider's state. */
    tunnelPort: whole(1024, 65535).default(33000),
    /** Whether anybody who reaches Grafana may look, without signing in. */
    anonymousViewer: z.boolean({ error: "true or false" }).default(false),
  }).prefault({}),
  alerts: group({
    /** Hours without a run of a code level after which it is missing. */
    runMissingHours: whole(1, 168).default(26),
    /** Growth of mean occupancy against the median of the 7 runs before. */
    occupancyGrowthPercent: whole(1, 1000, " (percent)").default(10),
    /** Days until Prometheus's disk is full. */
    diskFullDays: whole(1, 365).default(14),
    /** How long alerts of a night's results are collected: the code levels run one after the other. */
    collectMinutes: whole(1, 720).default(180),
    /** Who gets messages; `smtp` says by which server. */
    email: z
      .array(text(MAIL, /^[^\s@,;]+@[^\s@,;]+$/), { error: `a list of e-mail addresses (${MAIL})` })
      .default([]),
    /** The mail server. Its password is the secret `smtpPassword`. */
    smtp: group({
      host: text("a mail server with its port, like smtp.example.org:587", /^[a-z0-9.-]+:[0-9]{1,5}$/),
      from: text(MAIL, /^[^\s@,;]+@[^\s@,;]+$/),
      user: text("a user's name", /./).optional(),
    }).optional(),
  }).prefault({}),
  /** Secrets: `pulumi config set --secret`. Their values are never shown. */
  alertWebhookUrl: url(["http:", "https:"], "https://example.org/hook").optional(),
  alertSlackUrl: url(["https:"], "https://hooks.slack.com/services/…").optional(),
  smtpPassword: text("a password", /./).optional(),
});

/** The keys whose values are secrets. */
export const SECRET_KEYS = [
  "alertWebhookUrl",
  "alertSlackUrl",
  "smtpPassword",
  "remoteWritePassword",
] as const;

/** The stack's configuration, checked and complete; its secrets aside. */
export type Config = Omit<z.infer<typeof schema>, (typeof SECRET_KEYS)[number]>;
