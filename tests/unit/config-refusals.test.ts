import { expect, test } from "vitest";
import { parseConfig } from "../../config.ts";
import { SECRET_KEYS } from "../../config/schema.ts";
import { changed, ENVIRONMENT, external, messageFor, PROJECT, smtp } from "./configs.ts";

const DIGEST = `@sha256:${"0".repeat(64)}`;

test.each<[string, Record<string, unknown>, string]>([
  [
    "Prometheus by digest alone",
    { images: { prometheus: `prom/prometheus${DIGEST}` } },
    "images.prometheus is",
  ],
  ["Prometheus by a word", { images: { prometheus: "prom/prometheus:latest" } }, "whose tag is a version"],
  [
    "Prometheus by a part of a version",
    { images: { prometheus: "prom/prometheus:v3" } },
    "whose tag is a version",
  ],
  ["SMTP without a host", smtp({ host: ":587" }), 'alerts.smtp.host is ":587"; allowed: a mail server with'],
  ["SMTP at port 0", smtp({ host: "smtp.example.org:0" }), 'alerts.smtp.host is "smtp.example.org:0"'],
  ["SMTP at no port", smtp({ host: "smtp.example.org:99999" }), "alerts.smtp.host is"],
  [
    "SMTP at the port that Google blocks",
    smtp({ host: "smtp.example.org:25" }),
    "not 25, which Google Cloud",
  ],
  ["SMTP at a host of dots", smtp({ host: "..:587" }), "alerts.smtp.host is"],
  ["a sender without a domain", smtp({ from: "ci@localhost" }), 'alerts.smtp.from is "ci@localhost"'],
  [
    "an address with two dots",
    { alerts: { email: ["a..b@example.org"] } },
    'alerts.email.0 is "a..b@example.org"',
  ],
  ["an address with two @", { alerts: { email: ["a@b@example.org"] } }, "alerts.email.0 is"],
  ["an address of a dot", { alerts: { email: ["ci@.org"] } }, "alerts.email.0 is"],
  ["a long address", { alerts: { email: [`${"a".repeat(65)}@example.org`] } }, "alerts.email.0 is"],
  [
    "a peer twice",
    { network: { peers: ["default", "default"] } },
    'network.peers is ["default","default"]; allowed: each',
  ],
  ["a long domain", external({ domain: `${"a".repeat(52)}.example.com` }), "pushGateway.domain is"],
  [
    "the internet in two halves",
    { ciSourceRanges: ["0.0.0.0/1", "128.0.0.0/1"] },
    'ciSourceRanges.1 is "128.0.0.0/1"',
  ],
  [
    "pushes from the internet in two halves",
    external({ sourceRanges: ["0.0.0.0/1", "128.0.0.0/1"] }),
    "pushGateway.sourceRanges",
  ],
  [
    "the control plane for half the internet",
    { cluster: { endpoint: "ip", authorizedNetworks: ["0.0.0.0/1"] } },
    'cluster.authorizedNetworks.0 is "0.0.0.0/1"',
  ],
  [
    "no room for the nodes",
    {
      network: { primaryCidr: "10.248.1.0/27" },
      addresses: { pushGateway: "10.248.1.4", prometheus: "10.248.1.6", grafana: "10.248.1.7" },
      cluster: { nodeCount: 24 },
    },
    'network.primaryCidr is "10.248.1.0/27"; allowed: a range of at least 33 addresses: 24 nodes, 1 for',
  ],
  ["nodes of 1 GiB", { cluster: { machineType: "e2-micro" } }, "GKE leaves 668 MiB of this one's 1024"],
  ["nodes of 2 GiB", { cluster: { machineType: "n2-highcpu-2" } }, 'cluster.machineType is "n2-highcpu-2"'],
  ["custom nodes of 2 GiB", { cluster: { machineType: "e2-custom-2-2048" } }, "cluster.machineType is"],
  ["a Felix without a port", { felix: { targets: ["10.248.4.2"] } }, 'felix.targets.0 is "10.248.4.2"'],
  ["a Felix by URL", { felix: { targets: ["http://ci:9091/metrics"] } }, "felix.targets.0 is"],
  ["no Felix", { felix: { targets: [] } }, "felix.targets is []; allowed: a list of at least one target"],
  [
    "a Felix twice",
    { felix: { targets: ["ci:9091", "ci:9091"] } },
    'felix.targets is ["ci:9091","ci:9091"]; allowed: each',
  ],
  ["a webhook at port 0", { alertWebhookUrl: "http://example.org:0/" }, "alertWebhookUrl is"],
  [
    "a user of 20 digits",
    { remoteWrite: { url: "https://m/", user: 12345678901234567890n } },
    "remoteWrite.user is",
  ],
])("refuses %s", (_, changes, expected) => {
  expect(messageFor(changes)).toContain(expected);
});

test.each<[string, Record<string, unknown>]>([
  ["Prometheus by version and digest", { images: { prometheus: `prom/prometheus:v3.16.0${DIGEST}` } }],
  ["another image by digest alone", { images: { grafana: `grafana/grafana${DIGEST}` } }],
  ["a password that looks like a list", { ...smtp({ user: "ci" }), smtpPassword: "[1,2]" }],
  ["a password that looks like a map", { ...smtp({ user: "ci" }), smtpPassword: '{"a":1}' }],
  ["a user of digits", { remoteWrite: { url: "https://m/", user: 123456 }, remoteWritePassword: "hush" }],
  ["a mail user of digits", { ...smtp({ user: 123456 }), smtpPassword: "hush" }],
  ["SMTP at an address", smtp({ host: "10.248.0.9:465" })],
  [
    "Felix by address and by name",
    { felix: { targets: ["10.248.4.2:9091", "ci-1.c.calico-test.internal:9091"] } },
  ],
  ["a domain of 63 characters", external({ domain: `${"a".repeat(51)}.example.com` })],
  [
    "23 nodes in a /27",
    {
      network: { primaryCidr: "10.248.1.0/27" },
      addresses: { pushGateway: "10.248.1.4", prometheus: "10.248.1.6", grafana: "10.248.1.7" },
      cluster: { nodeCount: 23 },
    },
  ],
  ["nodes of 4 GiB", { cluster: { machineType: "e2-medium" } }],
  ["nodes of a family that isn't known", { cluster: { machineType: "z9-ultramem-8" } }],
])("takes %s", (_, changes) => {
  expect(messageFor(changes)).toBe("no problem");
});

test("a user of digits is a text afterwards", () => {
  const all = changed({ remoteWrite: { url: "https://m/", user: 123456 }, remoteWritePassword: "hush" });
  expect(parseConfig(all, PROJECT, ENVIRONMENT, SECRET_KEYS).remoteWrite?.user).toBe("123456");
});

const STORE = { writeUrl: "https://mimir/api/v1/push", readUrl: "https://mimir/prometheus" };

test.each(SECRET_KEYS)("refuses %s in plain text, with the command that encrypts it", (key) => {
  const complete = {
    ...smtp({ user: "ci" }),
    remoteWrite: { url: "https://mimir/", user: "ci" },
    alertWebhookUrl: "https://example.org/hidden",
    alertSlackUrl: "https://example.org/hidden",
    alertPagerDutyKey: "hidden7890hidden7890hidden7890xx",
    smtpPassword: "hidden",
    remoteWritePassword: "hidden",
    longTerm: key === "longTermToken" ? STORE : { ...STORE, user: "ci" },
    [key === "longTermToken" ? key : "longTermPassword"]: "hidden",
  };
  expect(messageFor(complete)).toBe("no problem");
  const message = messageFor(
    complete,
    SECRET_KEYS.filter((other) => other !== key),
  );
  expect(message).toContain(`${key} is "[plain text in the stack's file]"; allowed: an encrypted value:`);
  expect(message).toContain(`pulumi config set --secret ${key}`);
  expect(message.split("\n")).toHaveLength(2);
  expect(message).not.toContain("hidden");
});

test.each([
  { crds: "https://me:hidden@example.com/crds" },
  { crds: "https://me:hidden@example.com/${K8SFV_NOWHERE}" },
  { crds: "http://me:hidden@example.com/crds" },
  { remoteWrite: { url: "https://me:hidden@mimir/" } },
])("the password in %j is refused and not shown", (changes) => {
  const message = messageFor(changes);
  expect(message).toContain("[secret]@");
  expect(message).not.toContain("hidden");
});
