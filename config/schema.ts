import { z } from "zod";
import { DEFAULT_THRESHOLDS } from "../monitoring-mixin/thresholds.ts";
import { parseHostPort } from "./hosts.ts";
import { longTermKeys } from "./long-term.ts";
import { isMailAddress, isMailServer, MAIL, MAIL_SERVER } from "./mail-checks.ts";
import {
  address,
  choice,
  crds,
  domain,
  flag,
  googleName,
  group,
  image,
  isPattern,
  isSlackUrl,
  isWebUrl,
  RANGES_OR_ANYWHERE,
  sourceRanges,
  subnetworkRange,
  text,
  url,
  userName,
  versionedImage,
  whole,
} from "./types.ts";

/** PagerDuty's Events API v2 in the US service region. */
const PAGER_DUTY = "https://events.pagerduty.com/v2/enqueue";

const FELIX_TARGET = "a host (IPv4 address or name) with its port, like 10.248.4.2:9091";
const FELIX_TARGETS = `a list of at least one target (${FELIX_TARGET})`;

/** The page of this repository that says what to do for each alert. */
const RUNBOOK = "docs/operations.md";

/**
 * Every key of the stack's configuration: its type, what is allowed, its default, and what it is.
 * docs/configuration.md is made of this (`npm run docs`). A key without a default has to be given in every
 * stack. An example is given where the stack files have none.
 */
export const schema = group({
  project: text(
    "the id of a Google project: 6 to 30 lower-case letters, digits and dashes, a letter first, no dash last",
    /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/,
  ).describe("The Google project that everything is made in."),
  region: text("a Google region, like us-central1", /^[a-z]+-[a-z]+[0-9]+$/).describe(
    "The region of the network and the addresses.",
  ),
  zone: text("a Google zone, like us-central1-b", /^[a-z]+-[a-z]+[0-9]+-[a-z]$/).describe(
    "The zone of the cluster and the disks.",
  ),
  cluster: group({
    name: googleName(24, ' (the nodes\' account, "NAME-nodes", may have 30)').describe(
      "The cluster's name, and the prefix of every name in Google Cloud: no two stacks of a project have the same.",
    ),
    nodeCount: whole(1, 100).describe("How many nodes there are."),
    machineType: text("a machine type, like e2-standard-2", /^[a-z][a-z0-9]*(-[a-z0-9]+)+$/)
      .default("e2-standard-2")
      .describe("Of each node."),
    nodeDiskGb: whole(10, 65536, " GiB")
      .default(30)
      .describe("A node's own disk, for the system, images and logs. 10 GiB is the least that Google takes."),
    spot: flag(false).describe(
      "Cheaper nodes that Google may take away at any time: only together with `cluster.acceptInterruptions`.",
    ),
    acceptInterruptions: flag(false).describe(
      "Says that nobody minds when Prometheus, the gateway and Grafana are away until another node comes.",
    ),
    networkPolicy: choice("dataplane-v2", "calico")
      .default("dataplane-v2")
      .describe("Who enforces network policies."),
    deletionProtection: flag(true).describe(
      "Google refuses to delete the cluster. Off only where the environment is thrown away, or rebuilt.",
    ),
    endpoint: choice("dns", "ip")
      .default("dns")
      .describe(
        "How the control plane is reached: `dns` is its name, guarded by IAM; `ip` its address, for " +
          "`cluster.authorizedNetworks`.",
      ),
    authorizedNetworks: sourceRanges("a list of IPv4 ranges, like [203.0.113.0/24]", 0)
      .default([])
      .meta({
        description: "Who may reach the control plane's address; only with `ip`.",
        examples: [["203.0.113.0/24"]],
      }),
  }).describe("The GKE cluster."),
  network: group({
    name: googleName(50, ' (with "-ssh-to-ci" or "-to-PEER" it may have 63)')
      .optional()
      .describe(
        "Name of subnetwork, router and NAT, and of the VPC unless `network.vpc` names another; by default " +
          "`cluster.name`. No two stacks of a project have the same.",
      ),
    vpc: googleName(63)
      .optional()
      .meta({ description: "A VPC of the project that is there already, to live in.", examples: ["ci"] }),
    peers: z
      .array(googleName(63), { error: "a list of names of VPCs, like [default]" })
      .default([])
      .describe("VPCs of the project whose machines are to reach this one's."),
    primaryCidr: subnetworkRange(8, 27).describe("Addresses of the nodes and the load balancers."),
    podCidr: subnetworkRange(9, 24).describe(
      "Addresses of the pods: a /24 a node, and one for upgrades. Google changes it no more.",
    ),
    serviceCidr: subnetworkRange(16, 27).describe(
      "Addresses of the Services inside the cluster. Google changes it no more.",
    ),
    controlPlaneCidr: subnetworkRange(28, 28)
      .optional()
      .meta({
        description:
          "Addresses of Google's control plane, only with `cluster.endpoint: ip`. Without it the control plane's internal address is in `network.primaryCidr`. Adding or changing it recreates the cluster.",
        examples: ["10.250.16.0/28"],
      }),
  }).describe("The network and its address plan. No two ranges may overlap."),
  addresses: group({
    pushGateway: address.describe("What CI pushes to."),
    prometheus: address.describe("Prometheus."),
    grafana: address.describe("What people open."),
  }).describe("The reserved addresses; each lies in `network.primaryCidr`, and no two are the same."),
  ciSourceRanges: sourceRanges("a list of at least one IPv4 range, like [10.248.0.0/20]", 1).describe(
    "Who may push and read over the reserved addresses.",
  ),
  disks: group({
    prometheusGb: whole(10, 65536, " GiB")
      .default(200)
      .describe("Five years of series. Grows in place; can't be made smaller."),
    pushGatewayGb: whole(10, 65536, " GiB").default(10).describe("What was pushed last."),
    grafanaGb: whole(10, 65536, " GiB")
      .default(10)
      .describe("Grafana's database: users, what was made by hand."),
    alertmanagerGb: whole(10, 65536, " GiB")
      .default(10)
      .describe("Alertmanager's silences and its log of sent messages."),
    protect: flag(true).describe(
      "The engine refuses to delete the disks, the passwords, and the address on the internet. Off only where " +
        "the history is thrown away.",
    ),
  })
    .prefault({})
    .describe("The disks, which outlive the cluster."),
  images: group({
    operator: image.optional().describe("The Prometheus Operator."),
    configReloader: image.optional().describe("The operator's sidecar of Prometheus."),
    prometheus: versionedImage.optional().describe("Prometheus."),
    alertmanager: versionedImage.optional().describe("Alertmanager."),
    pushGateway: image.optional().describe("The push gateway."),
    pushProxy: image
      .optional()
      .describe("The push proxy before the Pushgateway: Node 20 or newer, with a shell."),
    grafana: image.optional().describe("Grafana."),
  })
    .prefault({})
    .meta({
      description: "Images other than those of versions.ts, for a registry of one's own.",
      examples: ["registry.example.com/prometheus/prometheus:v3.16.0"],
    }),
  pushGateway: group({
    exposure: choice("internal", "in-cluster", "external")
      .default("internal")
      .describe(
        "Where pushes come from. `internal`: the VPC, for `ciSourceRanges`. `in-cluster`: jobs in the cluster " +
          "alone. `external`: the internet too, over TLS.",
      ),
    auth: flag(false).describe(
      "The push gateway asks for a (generated) password; compulsory with `external`.",
    ),
    domain: domain.optional().meta({
      description:
        "Only with `external`: the name that the internet knows it by, and the certificate is for.",
      examples: ["push.example.com"],
    }),
    sourceRanges: z
      .union([z.literal("anywhere"), sourceRanges(RANGES_OR_ANYWHERE, 1)], {
        error: RANGES_OR_ANYWHERE,
      })
      .optional()
      .meta({
        description: "Only with `external`: who may push from the internet.",
        examples: [["203.0.113.0/24"]],
      }),
  })
    .prefault({})
    .describe("Who may push, and how."),
  remoteWrite: group({
    url: text("an http:// or https:// URL, like https://mimir.example.com/api/v1/push", isWebUrl).meta({
      description: "The receiver.",
      examples: ["https://mimir.example.com/api/v1/push"],
    }),
    user: userName(/^[^:\s]+$/)
      .optional()
      .meta({
        description: "Who signs in there; the password is `remoteWritePassword`.",
        examples: ["k8sfv"],
      }),
  })
    .optional()
    .describe("Where Prometheus sends all that it stores, besides keeping it."),
  remoteWritePassword: text("a password", /./)
    .optional()
    .meta({ description: "The password of `remoteWrite.user`.", examples: ["…"] }),
  ...longTermKeys,
  crds: crds.describe(
    "The folder of the operator's resource definitions; what lies there has to have the checksums in the code.",
  ),
  felix: group({
    targets: z
      .array(
        text(FELIX_TARGET, (value) => parseHostPort(value) !== undefined),
        { error: FELIX_TARGETS },
      )
      .min(1, { error: FELIX_TARGETS })
      .meta({
        description:
          "Where each Felix exposes its metrics during a run. Prometheus may connect to an address alone; to a name's " +
          "port, wherever it leads within `ciSourceRanges`.",
        examples: [["10.248.4.2:9091"]],
      }),
    intervalSeconds: whole(5, 300, " (seconds)")
      .default(10)
      .meta({ description: "Time between two scrapes of a target." }),
  })
    .optional()
    .describe("The metrics that Felix exposes itself, for the dashboard `k8s scale testing`."),
  grafana: group({
    access: choice("tunnel", "direct")
      .default("tunnel")
      .describe(
        "How `pulumi up` reaches Grafana's API: `tunnel` is through the Kubernetes API while it runs, " +
          "`direct` its own address, from inside the VPC.",
      ),
    tunnelPort: whole(1024, 65535)
      .default(33000)
      .describe(
        "The port of 127.0.0.1 that the tunnel listens on; it stays the same, since the state knows it.",
      ),
    anonymousViewer: flag(false).describe("Anybody who reaches Grafana may look, without signing in."),
  })
    .prefault({})
    .describe("Grafana, and how the program reaches it."),
  alerts: group({
    runMissingHours: whole(1, 168)
      .default(DEFAULT_THRESHOLDS.runMissingHours)
      .describe("Hours without a run of a code level after which it is missing."),
    expectedRuns: z
      .array(
        group({
          codeLevels: text("a regular expression, like release-.*", isPattern).meta({
            description: "Which code levels: a regular expression for the whole name.",
            examples: ["release-.*"],
          }),
          days: z
            .array(choice("mon", "tue", "wed", "thu", "fri", "sat", "sun"), {
              error: "a list of weekdays, like [mon, wed, fri]",
            })
            .meta({
              description: "Weekdays in UTC on which a run is due. With none, no run is expected.",
              examples: [["mon", "tue", "wed", "thu", "fri"]],
            }),
          by: text("a time of day in UTC, like 06:00", /^([01][0-9]|2[0-3]):[0-5][0-9]$/)
            .default("12:00")
            .describe("Time of day in UTC by which the run is due."),
        }),
        { error: "a list of maps with codeLevels, days and by" },
      )
      .default(DEFAULT_THRESHOLDS.expectedRuns)
      .describe(
        "Schedules of code levels that don't run every day; the first whose pattern matches holds. All others are " +
          "expected every `alerts.runMissingHours`.",
      ),
    occupancyGrowthPercent: whole(1, 1000, " (percent)")
      .default(DEFAULT_THRESHOLDS.occupancyGrowthPercent)
      .describe("Growth of mean occupancy against the median of the runs in the 7 days before."),
    diskFullDays: whole(1, 365)
      .default(DEFAULT_THRESHOLDS.diskFullDays)
      .describe("Days until Prometheus's disk is full."),
    collectMinutes: whole(1, 720)
      .default(DEFAULT_THRESHOLDS.collectMinutes)
      .describe(
        "How long alerts of a night's results are collected into one message: the code levels run one after " +
          "the other. With more than 180, two bad nights in a row can be more than two messages.",
      ),
    runbookUrl: text(
      "a URL without a fragment, like https://example.org/docs/operations.md",
      (value) => value === RUNBOOK || (isWebUrl(value) && !value.includes("#")),
    )
      .default(RUNBOOK)
      .meta({
        description:
          "Where alerts link to for what to do: the URL at which people read docs/operations.md. The default is its " +
          "path in this repository.",
        examples: ["https://example.org/k8sfv-metrics/docs/operations.md"],
      }),
    heartbeatUrl: url(["http:", "https:"], "https://hc-ping.com/UUID")
      .optional()
      .meta({
        description:
          "Gets a POST every 2 minutes for as long as Prometheus and Alertmanager work: a dead man's switch outside " +
          "of this environment.",
        examples: ["https://hc-ping.com/UUID"],
      }),
    pagerDutyUrl: url(["http:", "https:"], PAGER_DUTY)
      .default(PAGER_DUTY)
      .meta({
        description: "PagerDuty's Events API v2; another one in the EU service region.",
        examples: ["https://events.eu.pagerduty.com/v2/enqueue"],
      }),
    email: z
      .array(text(MAIL, isMailAddress), { error: `a list of e-mail addresses (${MAIL})` })
      .default([])
      .meta({
        description: "Who gets messages; `alerts.smtp` says by which server.",
        examples: [["ci@example.org"]],
      }),
    smtp: group({
      host: text(MAIL_SERVER, isMailServer).meta({
        description: "The mail server.",
        examples: ["smtp.example.org:587"],
      }),
      from: text(MAIL, isMailAddress).meta({
        description: "The sender.",
        examples: ["k8sfv@example.org"],
      }),
      user: userName(/./)
        .optional()
        .meta({ description: "Who signs in there; the password is `smtpPassword`.", examples: ["k8sfv"] }),
      requireTls: flag(true).describe("Mail is sent over TLS only: port 465, or STARTTLS on others."),
    })
      .optional()
      .describe("How mail is sent."),
  })
    .prefault({})
    .describe("From where on something is worth a message, and who gets it."),
  alertWebhookUrl: url(["http:", "https:"], "https://example.org/hook")
    .optional()
    .meta({ description: "Gets alerts by POST.", examples: ["https://example.org/hook"] }),
  alertSlackUrl: text(
    "a URL, like https://hooks.slack.com/services/…; Slack's own by https:// only",
    isSlackUrl,
  )
    .optional()
    .meta({
      description: "Incoming webhook of Slack, or of what understands its messages, for alerts.",
      examples: ["https://hooks.slack.com/services/…"],
    }),
  alertPagerDutyKey: text("a routing key: 32 letters and digits", /^[A-Za-z0-9]{32}$/)
    .optional()
    .meta({
      description: "Routing (integration) key of a PagerDuty service, Events API v2, for alerts.",
      examples: ["0123456789abcdef0123456789abcdef"],
    }),
  smtpPassword: text("a password", /./)
    .optional()
    .meta({ description: "The password of `alerts.smtp.user`.", examples: ["…"] }),
});

/** The keys whose values are secrets. */
export const SECRET_KEYS = [
  "alertWebhookUrl",
  "alertSlackUrl",
  "alertPagerDutyKey",
  "smtpPassword",
  "remoteWritePassword",
  "longTermPassword",
  "longTermToken",
] as const;

/** The stack's configuration, checked and complete; its secrets aside. */
export type Config = Omit<z.infer<typeof schema>, (typeof SECRET_KEYS)[number]>;
