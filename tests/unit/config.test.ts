import { expect, test } from "vitest";
import { parseConfig } from "../../config.ts";
import { SECRET_KEYS } from "../../config/schema.ts";
import { readStacks, stackNames } from "../../config/stacks.ts";
import { PROJECT_DIR } from "../../tools/stacks.ts";
import { changed, ENVIRONMENT, external, messageFor, PROJECT } from "./configs.ts";
import { stackConfig } from "./mocks.ts";

test.each(stackNames(PROJECT_DIR))("the %s stack's configuration is right", (name) => {
  const stack = { name, others: readStacks(PROJECT_DIR, PROJECT) };
  expect(
    parseConfig(stackConfig(name), PROJECT, ENVIRONMENT, SECRET_KEYS, stack).cluster.nodeCount,
  ).toBeGreaterThan(0);
});

test("defaults are filled in, variables put in place", () => {
  const config = parseConfig(stackConfig("local"), PROJECT, ENVIRONMENT, []);
  expect(config.grafana).toEqual({ access: "tunnel", tunnelPort: 33000, anonymousViewer: false });
  expect(config.pushGateway).toEqual({ exposure: "internal", auth: false });
  expect(config.crds).toBe("/crds");
  expect(config.images).toEqual({
    grafana: "localhost/k8sfv/grafana-stand-in:1.0.0",
    pushProxy: "localhost/k8sfv/node:20.0.0-machine",
  });
});

test("a push gateway on the internet that is guarded, and a receiver of everything, are taken", () => {
  expect(messageFor(external({}))).toBe("no problem");
  expect(messageFor(external({ sourceRanges: ["203.0.113.0/24"] }))).toBe("no problem");
  const remoteWrite = { url: "https://mimir.example.com/api/v1/push", user: "k8sfv" };
  expect(messageFor({ remoteWrite, remoteWritePassword: "hush" })).toBe("no problem");
});

test("keys of other namespaces are nobody's business here", () => {
  expect(messageFor({})).toBe("no problem");
  const all = { ...changed({}), "gcp:project": "other", "k8sfv-metrics-too:x": "y" };
  expect(() => parseConfig(all, PROJECT, ENVIRONMENT, [])).not.toThrow();
});

test.each<[string, Record<string, unknown>, string]>([
  ["unknown key", { regoin: "x" }, 'regoin is "x"; allowed: no such key; there are project, region'],
  ["its neighbour", { regoin: "x" }, 'Did you mean "region"?'],
  ["unknown nested key", { cluster: { nodecount: 3 } }, 'Did you mean "cluster.nodeCount"?'],
  ["unknown key of an optional map", { disks: { grafanaGB: 3 } }, 'Did you mean "disks.grafanaGb"?'],
  [
    "far-off key",
    { colour: "x" },
    "remoteWrite, remoteWritePassword, longTerm, longTermPassword, longTermToken, crds, felix, grafana, alerts, ",
  ],
  ["missing key", { project: undefined }, "project is missing; allowed: the id of a Google project"],
  ["missing map", { addresses: undefined }, "addresses is missing; allowed: a map with keys of pushGateway,"],
  ["missing nested key", { cluster: { name: undefined } }, "cluster.name is missing; allowed: a name Google"],
  ["no node", { cluster: { nodeCount: 0 } }, "cluster.nodeCount is 0; allowed: a whole number from 1 to 100"],
  ["half a node", { cluster: { nodeCount: 1.5 } }, "cluster.nodeCount is 1.5; allowed: a whole number"],
  ["a word for a number", { cluster: { nodeCount: "two" } }, 'cluster.nodeCount is "two"; allowed: a whole'],
  [
    "a word for a map",
    { cluster: "k8sfv" },
    'cluster is "k8sfv"; allowed: a map with keys of name, nodeCount',
  ],
  [
    "upper-case name",
    { cluster: { name: "K8sfv" } },
    'cluster.name is "K8sfv"; allowed: a name Google takes',
  ],
  ["name with a dash last", { network: { name: "k8sfv-" } }, 'network.name is "k8sfv-"; allowed: a name'],
  ["long name", { cluster: { name: "k".repeat(25) } }, "1 to 24 characters"],
  ["bad project", { project: "Calico" }, 'project is "Calico"; allowed: the id of a Google project'],
  ["zone elsewhere", { zone: "europe-west1-b" }, "allowed: a zone of the region us-central1"],
  ["no range", { network: { podCidr: "10.249.0.0" } }, "network.podCidr is"],
  [
    "overlap",
    { network: { podCidr: "10.248.0.0/16" } },
    "doesn't overlap network.primaryCidr (10.248.0.0/20)",
  ],
  ["host bits", { network: { primaryCidr: "10.248.1.0/20" } }, "whose address is its first"],
  ["control plane's size", { network: { controlPlaneCidr: "10.251.0.0/24" } }, "an IPv4 range of prefix /28"],
  [
    "control plane's range without its IP endpoint",
    { network: { controlPlaneCidr: "10.250.16.0/28" } },
    'network.controlPlaneCidr is "10.250.16.0/28"; allowed: nothing unless cluster.endpoint is "ip"',
  ],
  ["no room for pods", { cluster: { nodeCount: 100 }, network: { podCidr: "10.249.0.0/19" } }, "this has 32"],
  ["address outside", { addresses: { grafana: "10.249.1.7" } }, "10.248.0.2 to 10.248.15.253"],
  ["the gateway's address", { addresses: { grafana: "10.248.0.1" } }, "Google keeps the first two"],
  ["address twice", { addresses: { grafana: "10.248.1.4" } }, "an address that no other key has"],
  ["no address", { addresses: { grafana: "10.248.1" } }, 'addresses.grafana is "10.248.1"; allowed: an IPv4'],
  ["nobody may push", { ciSourceRanges: [] }, "ciSourceRanges is []; allowed: a list of at least one"],
  ["bad source range", { ciSourceRanges: ["10.0.0.0/8", "x"] }, 'ciSourceRanges.1 is "x"; allowed: an IPv4'],
  ["no URL", { crds: "htps://example.com/crds" }, "allowed: an https:// URL of a folder"],
  ["unsafe URL", { crds: "http://example.com/crds" }, "allowed: an https:// URL of a folder"],
  ["URL without a host", { crds: "https://" }, "allowed: an https:// URL of a folder"],
  ["relative path", { crds: "crds" }, "or an absolute path of one"],
  ["variable not set", { crds: "${K8SFV_NOWHERE}/crds" }, "K8SFV_NOWHERE is not in the environment"],
  [
    "image without a tag",
    { images: { grafana: "grafana/grafana" } },
    "allowed: an image with a tag, a digest or both",
  ],
  [
    "small disk",
    { disks: { grafanaGb: 1 } },
    "disks.grafanaGb is 1; allowed: a whole number from 10 to 65536 GiB",
  ],
  ["Spot by itself", { cluster: { spot: true } }, "or true together with cluster.acceptInterruptions: true"],
  ["unknown dataplane", { cluster: { networkPolicy: "none" } }, '"dataplane-v2" or "calico"'],
  ["small node disk", { cluster: { nodeDiskGb: 5 } }, "a whole number from 10 to 65536 GiB"],
  [
    "peers of somebody else's VPC",
    { network: { vpc: "default" } },
    'network.peers is ["default"]; allowed: no',
  ],
  ["itself as peer", { network: { peers: ["k8sfv"] } }, "names of other VPCs"],
  ["a peer's name too long", { network: { peers: ["p".repeat(60)] } }, "have at most 63 characters"],
  ["peers not a list", { network: { peers: "default" } }, "a list of names of VPCs, like [default]"],
  ["unprotected by a word", { disks: { protect: "no" } }, 'disks.protect is "no"; allowed: true or false'],
  [
    "loopback range",
    { network: { podCidr: "127.0.0.0/16" } },
    "a range outside those that no subnetwork may have",
  ],
  [
    "unknown access",
    { grafana: { access: "vpn" } },
    'grafana.access is "vpn"; allowed: "tunnel" or "direct"',
  ],
  [
    "privileged port",
    { grafana: { tunnelPort: 80 } },
    "grafana.tunnelPort is 80; allowed: a whole number from 1024",
  ],
  [
    "ip without networks",
    { cluster: { endpoint: "ip" } },
    'at least one IPv4 range when cluster.endpoint is "ip"',
  ],
  [
    "networks without ip",
    { cluster: { authorizedNetworks: ["10.0.0.0/8"] } },
    "nothing unless cluster.endpoint",
  ],
  [
    "mail without a server",
    { alerts: { email: ["ci@example.org"] } },
    "alerts.smtp is missing; allowed: a mail server",
  ],
  ["no address", { alerts: { email: ["ci"] } }, 'alerts.email.0 is "ci"; allowed: an e-mail address'],
  [
    "server without port",
    { alerts: { smtp: { host: "mail", from: "a@b.org" } } },
    "allowed: a mail server with its port",
  ],
  [
    "the mail port that Google blocks",
    { alerts: { smtp: { host: "mail:25", from: "a@b.org" } } },
    "but not 25, which Google Cloud blocks",
  ],
  [
    "a port out of range",
    { alerts: { smtp: { host: "mail:65536", from: "a@b.org" } } },
    'alerts.smtp.host is "mail:65536"; allowed: a mail server',
  ],
  [
    "half of a routing key, not shown",
    { alertPagerDutyKey: "hidden" },
    'alertPagerDutyKey is "[secret]"; allowed: a routing key: 32 letters and digits',
  ],
  [
    "a runbook with a fragment",
    { alerts: { runbookUrl: "https://example.org/docs#alerts" } },
    "alerts.runbookUrl",
  ],
  [
    "user without password",
    { alerts: { smtp: { host: "mail:587", from: "a@b.org", user: "ci" } } },
    "smtpPassword is missing; allowed: a secret",
  ],
  [
    "password without user",
    { smtpPassword: "hidden" },
    'smtpPassword is "[secret]"; allowed: nothing unless',
  ],
  ["webhook, not shown", { alertWebhookUrl: "hidden" }, 'alertWebhookUrl is "[secret]"; allowed: a URL'],
  [
    "Slack by http",
    { alertSlackUrl: "http://hooks.slack.com/services/hidden" },
    'alertSlackUrl is "[secret]"; allowed: a URL',
  ],
  [
    "no growth",
    { alerts: { occupancyGrowthPercent: 0 } },
    "alerts.occupancyGrowthPercent is 0; allowed: a whole",
  ],
  [
    "unknown exposure",
    { pushGateway: { exposure: "world" } },
    'allowed: "internal", "in-cluster" or "external"',
  ],
  [
    "the world without a password",
    external({ auth: false }),
    "pushGateway.auth is false; allowed: true when",
  ],
  [
    "the world without a name",
    external({ domain: undefined }),
    "pushGateway.domain is missing; allowed: a domain",
  ],
  [
    "the world by oversight",
    external({ sourceRanges: undefined }),
    "pushGateway.sourceRanges is missing; allowed",
  ],
  ["the world as a range", external({ sourceRanges: ["0.0.0.0/0"] }), "an IPv4 range with a prefix from /8"],
  [
    "no range at all",
    external({ sourceRanges: [] }),
    'a list of IPv4 ranges, like [203.0.113.0/24], or "anywhere"',
  ],
  [
    "an address for a name",
    external({ domain: "203.0.113.9" }),
    "allowed: a domain name of at most 63 characters, like push.example.com",
  ],
  [
    "a name for nobody",
    { pushGateway: { domain: "push.example.com" } },
    "nothing unless pushGateway.exposure",
  ],
  ["a receiver that is none", { remoteWrite: { url: "mimir" } }, "remoteWrite.url is"],
  ["a receiver without a URL", { remoteWrite: { user: "x" } }, "remoteWrite.url is missing"],
  [
    "a user inside the URL",
    { remoteWrite: { url: "https://u:p@mimir/" } },
    "allowed: an http:// or https:// URL",
  ],
  [
    "a user without a password",
    { remoteWrite: { url: "https://mimir/", user: "k8sfv" } },
    "remoteWritePassword is missing; allowed: the password of remoteWrite.user",
  ],
  [
    "a password for nobody",
    { remoteWritePassword: "hush" },
    'remoteWritePassword is "[secret]"; allowed: nothing',
  ],
  [
    "viewer",
    { grafana: { anonymousViewer: "yes" } },
    'grafana.anonymousViewer is "yes"; allowed: true or false',
  ],
  [
    "not boolean",
    { cluster: { deletionProtection: "yes" } },
    'deletionProtection is "yes"; allowed: true or false',
  ],
])("%s", (_, changes, expected) => {
  expect(messageFor(changes)).toContain(expected);
});

test("all problems are told at once, each once", () => {
  const message = messageFor({
    project: undefined,
    regoin: "x",
    cluster: { nodeCount: 0, name: "-" },
    network: { podCidr: "10.248.0.0/16", serviceCidr: "10.248.0.0/20" },
    addresses: { grafana: "192.168.1.1" },
    crds: "http:/nowhere",
  });
  expect(message.split("\n")[0]).toBe("The stack's configuration has 9 problems; nothing was made:");
  for (const key of ["project", "regoin", "cluster.nodeCount", "cluster.name", "addresses.grafana", "crds"]) {
    expect(message.match(new RegExp(`^  ${key} is `, "gm"))).toHaveLength(1);
  }
  expect(message.match(/doesn't overlap/g)).toHaveLength(3);
});
