import { expect, test } from "vitest";
import { parseConfig } from "../../config.ts";
import { SECRET_KEYS } from "../../config/schema.ts";
import { changed, ENVIRONMENT, external, messageFor, PROJECT, smtp, testRejections } from "./configs.ts";

const DIGEST = `@sha256:${"0".repeat(64)}`;

testRejections(
  [
    "an image of Prometheus without a tag",
    { images: { prometheus: `prom/prometheus${DIGEST}` } },
    "images.prometheus is",
  ],
  [
    "an image of Prometheus with a tag that is no version",
    { images: { prometheus: "prom/prometheus:latest" } },
    "whose tag is a version",
  ],
  [
    "an image of Prometheus with an incomplete version",
    { images: { prometheus: "prom/prometheus:v3" } },
    "whose tag is a version 2.x or 3.x",
  ],
  [
    "a version of Prometheus that the operator rejects",
    { images: { prometheus: "prom/prometheus:v1.8.2" } },
    'images.prometheus is "prom/prometheus:v1.8.2"; allowed: an image whose tag is a version 2.x or 3.x',
  ],
  [
    "a pre-release of Prometheus that isn't a semantic version",
    { images: { prometheus: "prom/prometheus:v3.16.0-rc..1" } },
    "images.prometheus is",
  ],
  [
    "a version of Alertmanager that the operator rejects",
    { images: { alertmanager: "prom/alertmanager:v0.14.9" } },
    "allowed: an image whose tag is a version 0.15 or newer, below 1.0",
  ],
  [
    "a major version of Alertmanager that the operator rejects",
    { images: { alertmanager: "prom/alertmanager:v1.0.0" } },
    "images.alertmanager is",
  ],
  [
    "a mail server without a host",
    smtp({ host: ":587" }),
    'alerts.smtp.host is ":587"; allowed: a mail server with',
  ],
  [
    "a mail server at port 0",
    smtp({ host: "smtp.example.org:0" }),
    'alerts.smtp.host is "smtp.example.org:0"',
  ],
  ["a mail server at port 99999", smtp({ host: "smtp.example.org:99999" }), "alerts.smtp.host is"],
  [
    "a mail server at the port that Google Cloud blocks",
    smtp({ host: "smtp.example.org:25" }),
    "Google Cloud blocks port 25",
  ],
  ['a mail server with the host ".."', smtp({ host: "..:587" }), "alerts.smtp.host is"],
  [
    "a sender without a top-level domain",
    smtp({ from: "ci@localhost" }),
    'alerts.smtp.from is "ci@localhost"',
  ],
  [
    "an e-mail address with two dots in a row",
    { alerts: { email: ["a..b@example.org"] } },
    'alerts.email.0 is "a..b@example.org"',
  ],
  ["an e-mail address with two @", { alerts: { email: ["a@b@example.org"] } }, "alerts.email.0 is"],
  [
    "an e-mail address whose domain begins with a dot",
    { alerts: { email: ["ci@.org"] } },
    "alerts.email.0 is",
  ],
  [
    "an e-mail address with 65 characters before the @",
    { alerts: { email: [`${"a".repeat(65)}@example.org`] } },
    "alerts.email.0 is",
  ],
  [
    "a duplicate peer",
    { network: { peers: ["default", "default"] } },
    'network.peers is ["default","default"]; allowed: each',
  ],
  [
    "a domain of 64 characters",
    external({ domain: `${"a".repeat(52)}.example.com` }),
    "pushGateway.domain is",
  ],
  [
    "the whole internet as two source ranges",
    { ciSourceRanges: ["0.0.0.0/1", "128.0.0.0/1"] },
    'ciSourceRanges.1 is "128.0.0.0/1"',
  ],
  [
    "the whole internet as two source ranges of external pushes",
    external({ sourceRanges: ["0.0.0.0/1", "128.0.0.0/1"] }),
    "pushGateway.sourceRanges",
  ],
  [
    "half of the internet as an authorized network",
    { cluster: { endpoint: "ip", authorizedNetworks: ["0.0.0.0/1"] } },
    'cluster.authorizedNetworks.0 is "0.0.0.0/1"',
  ],
  [
    "24 nodes in a primary range of 32 addresses",
    {
      network: { primaryCidr: "10.248.1.0/27" },
      addresses: { pushGateway: "10.248.1.4", prometheus: "10.248.1.6", grafana: "10.248.1.7" },
      cluster: { nodeCount: 24 },
    },
    'network.primaryCidr is "10.248.1.0/27"; allowed: a range of at least 33 addresses: 24 for nodes, 1 for',
  ],
  [
    "nodes with 1 GiB",
    { cluster: { machineType: "e2-micro" } },
    "this one has 668 MiB allocatable of 1024 MiB",
  ],
  ["nodes with 2 GiB", { cluster: { machineType: "n2-highcpu-2" } }, 'cluster.machineType is "n2-highcpu-2"'],
  ["custom nodes with 2 GiB", { cluster: { machineType: "e2-custom-2-2048" } }, "cluster.machineType is"],
  [
    "a Felix target without a port",
    { felix: { targets: ["10.248.4.2"] } },
    'felix.targets.0 is "10.248.4.2"',
  ],
  [
    "a Felix target whose name has 254 characters",
    { felix: { targets: [`${Array.from({ length: 5 }, () => "a".repeat(50)).join(".")}:9091`] } },
    "felix.targets.0 is",
  ],
  ["a URL as a Felix target", { felix: { targets: ["http://ci:9091/metrics"] } }, "felix.targets.0 is"],
  [
    "an empty list of Felix targets",
    { felix: { targets: [] } },
    "felix.targets is []; allowed: a list of at least one target",
  ],
  [
    "a duplicate Felix target",
    { felix: { targets: ["ci:9091", "ci:9091"] } },
    'felix.targets is ["ci:9091","ci:9091"]; allowed: each',
  ],
  ["a webhook at port 0", { alertWebhookUrl: "http://example.org:0/" }, "alertWebhookUrl is"],
  [
    "a user name of 20 digits that was written as a number",
    { remoteWrite: { url: "https://m/", user: 12345678901234567890n } },
    "remoteWrite.user is",
  ],
);

test.each<[string, Record<string, unknown>]>([
  [
    "an image of Prometheus with a version and a digest",
    { images: { prometheus: `prom/prometheus:v3.16.0${DIGEST}` } },
  ],
  ["a pre-release of Prometheus", { images: { prometheus: "prom/prometheus:v3.17.0-rc.1" } }],
  ["another variant of Prometheus", { images: { prometheus: "prom/prometheus:3.16.0-distroless" } }],
  ["the oldest supported Prometheus", { images: { prometheus: "prom/prometheus:v2.0.0" } }],
  ["the oldest supported Alertmanager", { images: { alertmanager: "prom/alertmanager:v0.15.0" } }],
  [
    "an image of Grafana with a digest and without a tag",
    { images: { grafana: `grafana/grafana${DIGEST}` } },
  ],
  ["a password that looks like a list", { ...smtp({ user: "ci" }), smtpPassword: "[1,2]" }],
  ["a password that looks like an object", { ...smtp({ user: "ci" }), smtpPassword: '{"a":1}' }],
  [
    "a user name of digits that was written as a number",
    { remoteWrite: { url: "https://m/", user: 123456 }, remoteWritePassword: "hush" },
  ],
  [
    "an SMTP user name of digits that was written as a number",
    { ...smtp({ user: 123456 }), smtpPassword: "hush" },
  ],
  ["a mail server with an IP address as the host", smtp({ host: "10.248.0.9:465" })],
  [
    "Felix targets with an IP address and with a host name",
    { felix: { targets: ["10.248.4.2:9091", "ci-1.c.calico-test.internal:9091"] } },
  ],
  ["a domain of 63 characters", external({ domain: `${"a".repeat(51)}.example.com` })],
  [
    "23 nodes in a primary range of 32 addresses",
    {
      network: { primaryCidr: "10.248.1.0/27" },
      addresses: { pushGateway: "10.248.1.4", prometheus: "10.248.1.6", grafana: "10.248.1.7" },
      cluster: { nodeCount: 23 },
    },
  ],
  ["nodes with 4 GiB", { cluster: { machineType: "e2-medium" } }],
  ["nodes of an unknown machine family", { cluster: { machineType: "z9-ultramem-8" } }],
])("accepts %s", (_, changes) => {
  expect(messageFor(changes)).toBe("no problem");
});

test("returns a user name of digits as a string", () => {
  const all = changed({ remoteWrite: { url: "https://m/", user: 123456 }, remoteWritePassword: "hush" });
  expect(parseConfig(all, PROJECT, ENVIRONMENT, SECRET_KEYS).remoteWrite?.user).toBe("123456");
});

const STORE = { writeUrl: "https://mimir/api/v1/push", readUrl: "https://mimir/prometheus" };

test.each(SECRET_KEYS)("rejects %s in plain text and names the command that encrypts it", (key) => {
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
  expect(message).toContain(`${key} is "[plain text in the stack file]"; allowed: an encrypted value:`);
  expect(message).toContain(`pulumi config set --secret ${key}`);
  expect(message.split("\n")).toHaveLength(2);
  expect(message).not.toContain("hidden");
});

test.each([
  { crds: "https://me:hidden@example.com/crds" },
  { crds: "https://me:hidden@example.com/${K8SFV_NOWHERE}" },
  { crds: "http://me:hidden@example.com/crds" },
  { remoteWrite: { url: "https://me:hidden@mimir/" } },
])("rejects the password in %j without showing it", (changes) => {
  const message = messageFor(changes);
  expect(message).toContain("[secret]@");
  expect(message).not.toContain("hidden");
});
