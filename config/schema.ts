import { z } from "zod";
import { parseHostPort } from "./hosts.ts";
import { longTermKeys } from "./long-term.ts";
import { alerts } from "./schema-alerts.ts";
import { addresses, cluster, disks, network } from "./schema-cloud.ts";
import {
  boolean,
  crds,
  domain,
  enumOf,
  image,
  integer,
  isSlackUrl,
  isWebUrl,
  object,
  RANGES_OR_ANYWHERE,
  sourceRanges,
  string,
  url,
  userName,
  versionedImage,
} from "./types.ts";

const FELIX_TARGET = "a host (IPv4 address or name) with its port, like 10.248.4.2:9091";
const FELIX_TARGETS = `a list of at least one target (${FELIX_TARGET})`;

/** Describes an optional image. The example is an image in a private registry. */
const optionalImage = (type: typeof image, description: string, example: string) =>
  type.optional().meta({ description, examples: [`registry.example.com/${example}`] });

// The versions are those that the pinned operator accepts (its pkg/prometheus/promcfg.go and
// pkg/alertmanager/operator.go).
const prometheusImage = versionedImage(
  "[23][.][0-9]+",
  "2.x or 3.x",
  "quay.io/prometheus/prometheus:v3.16.0",
);
const alertmanagerImage = versionedImage(
  "0[.](1[5-9]|[2-9][0-9]|[1-9][0-9]{2,})",
  "0.15 or newer, below 1.0",
  "quay.io/prometheus/alertmanager:v0.35.0",
);

const images = object({
  operator: optionalImage(image, "Image of the Prometheus Operator.", "prometheus-operator:v0.85.0"),
  configReloader: optionalImage(
    image,
    "Image of the config reloader, which the operator adds to the pods of Prometheus and Alertmanager.",
    "prometheus-config-reloader:v0.85.0",
  ),
  prometheus: optionalImage(prometheusImage, "Image of Prometheus.", "prometheus:v3.16.0"),
  alertmanager: optionalImage(alertmanagerImage, "Image of Alertmanager.", "alertmanager:v0.35.0"),
  pushGateway: optionalImage(image, "Image of the Pushgateway.", "pushgateway:v1.11.1"),
  pushProxy: optionalImage(
    image,
    "Image of the push proxy in front of the Pushgateway: Node.js 20 or newer, and a shell.",
    "node:24.21.0-alpine3.24",
  ),
  pushQueue: optionalImage(
    image,
    "Image of the push queue in front of the push proxy: HAProxy 2.6 or newer.",
    "haproxy:3.0.26-alpine3.24",
  ),
  grafana: optionalImage(image, "Image of Grafana.", "grafana:13.2.3"),
});

const pushGateway = object({
  exposure: enumOf("internal", "in-cluster", "external")
    .default("internal")
    .describe(
      "Clients that may push. `in-cluster`: pods of the cluster. `internal`: also `ciSourceRanges` in the VPC. `external`: " +
        "also the internet, over TLS.",
    ),
  auth: boolean(false).describe("Requires a generated password to push. Must be true with `external`."),
  domain: domain.optional().meta({
    description:
      "Domain name for pushes from the internet, to which the certificate is issued. Only with `external`.",
    examples: ["push.example.com"],
  }),
  sourceRanges: z
    .union([z.literal("anywhere"), sourceRanges(RANGES_OR_ANYWHERE, 1)], { error: RANGES_OR_ANYWHERE })
    .optional()
    .meta({
      description: "Ranges of the internet that may push. Only with `external`.",
      examples: [["203.0.113.0/24"]],
    }),
});

const remoteWrite = object({
  url: string("an http:// or https:// URL, like https://mimir.example.com/api/v1/push", isWebUrl).meta({
    description: "URL of the receiver.",
    examples: ["https://mimir.example.com/api/v1/push"],
  }),
  user: userName(/^[^:\s]+$/)
    .optional()
    .meta({
      description: "User name at the receiver. The password is `remoteWritePassword`.",
      examples: ["k8sfv"],
    }),
});

const felix = object({
  targets: z
    .array(
      string(FELIX_TARGET, (value) => parseHostPort(value) !== undefined),
      { error: FELIX_TARGETS },
    )
    .min(1, { error: FELIX_TARGETS })
    .meta({
      description:
        "Targets at which Felix exposes its metrics during a run. Network policies allow connections to the port of a " +
        "target: at its address, or, if the target has a name, at all addresses in `ciSourceRanges`.",
      examples: [["10.248.4.2:9091"]],
    }),
  intervalSeconds: integer(5, 300, " (seconds)").default(10).describe("Seconds between scrapes of a target."),
});

const grafana = object({
  access: enumOf("tunnel", "direct")
    .default("tunnel")
    .describe(
      "How `pulumi up` connects to Grafana's API: `tunnel` through the Kubernetes API, `direct` to Grafana's address in the " +
        "VPC.",
    ),
  tunnelPort: integer(1024, 65535)
    .default(33000)
    .describe(
      "Port of 127.0.0.1 on which the tunnel listens. Use the same port everywhere, because the state contains the port as a part of the URL of Grafana's provider.",
    ),
  anonymousViewer: boolean(false).describe("Allows viewing dashboards without a login."),
});

/**
 * Every key of the stack configuration with its type, allowed values, default and description. `npm run docs` generates
 * docs/configuration.md and the block `config` of Pulumi.yaml from it. A key is required if it has neither a default
 * nor `.optional()`. A key needs an example if the stack files have none.
 */
export const schema = object({
  project: string(
    "a Google Cloud project ID: 6 to 30 lower-case letters, digits and dashes, beginning with a letter and not ending with a dash",
    /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/,
  ).describe("ID of the Google Cloud project."),
  region: string("a Google Cloud region, like us-central1", /^[a-z]+-[a-z]+[0-9]+$/).describe(
    "Region of the network and the addresses.",
  ),
  zone: string("a Google Cloud zone, like us-central1-b", /^[a-z]+-[a-z]+[0-9]+-[a-z]$/).describe(
    "Zone of the cluster and the disks.",
  ),
  cluster,
  network,
  addresses,
  ciSourceRanges: sourceRanges("a list of at least one IPv4 range, like [10.248.0.0/20]", 1).describe(
    "Ranges that may connect to the reserved addresses, to push and to read.",
  ),
  disks,
  images: images
    .prefault({})
    .describe("Images that replace those in versions.ts, e.g. images in a private registry."),
  pushGateway: pushGateway.prefault({}).describe("Access to the Pushgateway."),
  remoteWrite: remoteWrite
    .optional()
    .describe("Receiver to which Prometheus also sends all samples, by remote write."),
  remoteWritePassword: string("a password", /./)
    .optional()
    .meta({ description: "Password of `remoteWrite.user`.", examples: ["…"] }),
  ...longTermKeys,
  crds: crds.describe(
    "Directory with the CRDs of the operator's version. Files with an unexpected checksum are rejected.",
  ),
  felix: felix
    .optional()
    .describe("Felix processes that Prometheus scrapes, for the dashboard `k8s scale testing`."),
  grafana: grafana.prefault({}).describe("Grafana, and this program's access to Grafana."),
  alerts,
  alertWebhookUrl: url(["http:", "https:"], "https://example.org/hook")
    .optional()
    .meta({ description: "URL that receives alerts by POST.", examples: ["https://example.org/hook"] }),
  alertSlackUrl: string(
    "a URL, like https://hooks.slack.com/services/…; only https:// for Slack itself",
    isSlackUrl,
  )
    .optional()
    .meta({
      description: "Incoming webhook of Slack, or of a compatible product, that receives alerts.",
      examples: ["https://hooks.slack.com/services/…"],
    }),
  alertPagerDutyKey: string("a routing key: 32 letters and digits", /^[A-Za-z0-9]{32}$/)
    .optional()
    .meta({
      description: "Routing (integration) key of the PagerDuty service that receives alerts, Events API v2.",
      examples: ["0123456789abcdef0123456789abcdef"],
    }),
  smtpPassword: string("a password", /./)
    .optional()
    .meta({ description: "Password of `alerts.smtp.user`.", examples: ["…"] }),
});

/** Keys whose values are secrets. */
export const SECRET_KEYS = [
  "alertWebhookUrl",
  "alertSlackUrl",
  "alertPagerDutyKey",
  "smtpPassword",
  "remoteWritePassword",
  "longTermPassword",
  "longTermToken",
] as const;

/** The stack configuration with defaults and without secrets. */
export type Config = Omit<z.infer<typeof schema>, (typeof SECRET_KEYS)[number]>;

// Types of the values of single keys, such as `felix`, after defaults are applied. Components use them in their
// arguments.
export type FelixConfig = z.infer<typeof felix>;
export type GrafanaConfig = z.infer<typeof grafana>;
export type PushGatewayConfig = z.infer<typeof pushGateway>;
