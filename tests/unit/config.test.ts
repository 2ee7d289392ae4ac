import * as pulumi from "@pulumi/pulumi";
import { expect, onTestFinished, test, vi } from "vitest";
import { loadConfig, parseConfig } from "../../config.ts";
import { SECRET_KEYS } from "../../config/schema.ts";
import { readStacks, stackNames } from "../../config/stacks.ts";
import { PROJECT_DIR } from "../../tools/stacks.ts";
import { changed, ENVIRONMENT, external, messageFor, PROJECT, testRejections } from "./configs.ts";
import { configOf, EXAMPLE, FULL, mockEngine, stackConfig } from "./mocks.ts";

test.each(stackNames(PROJECT_DIR))("accepts the configuration of the stack %s", (name) => {
  const stack = { name, others: readStacks(PROJECT_DIR, PROJECT) };
  expect(
    parseConfig(stackConfig(name), PROJECT, ENVIRONMENT, SECRET_KEYS, stack).cluster.nodeCount,
  ).toBeGreaterThan(0);
});

test("sets defaults and substitutes environment variables", () => {
  const config = parseConfig(stackConfig("local"), PROJECT, ENVIRONMENT, []);
  expect(config.grafana).toEqual({ access: "tunnel", tunnelPort: 33000, anonymousViewer: false });
  expect(config.pushGateway).toEqual({ exposure: "internal", auth: false });
  expect(config.crds).toBe("/crds");
  expect(config.images).toEqual({
    grafana: "localhost/k8sfv/grafana-stand-in:1.0.0",
    pushProxy: "localhost/k8sfv/node:20.0.0-machine",
    pushQueue: "localhost/k8sfv/haproxy:2.6.0-machine",
  });
});

test("accepts an external Pushgateway with a password, and remote write", () => {
  expect(messageFor(external({}))).toBe("no problem");
  expect(messageFor(external({ sourceRanges: ["203.0.113.0/24"] }))).toBe("no problem");
  const remoteWrite = { url: "https://mimir.example.com/api/v1/push", user: "k8sfv" };
  expect(messageFor({ remoteWrite, remoteWritePassword: "hush" })).toBe("no problem");
});

test("accepts a peer with which the peering's name has 63 characters", () => {
  expect(messageFor({ network: { peers: ["p".repeat(54)] } })).toBe("no problem");
});

test("ignores keys of other namespaces", () => {
  expect(messageFor({})).toBe("no problem");
  const all = { ...changed({}), "gcp:project": "other", "k8sfv-metrics-too:x": "y" };
  expect(() => parseConfig(all, PROJECT, ENVIRONMENT, [])).not.toThrow();
});

test("rejects a stack with the names of another stack that has a file", () => {
  const stack = { name: "staging", others: readStacks(PROJECT_DIR, PROJECT) };
  expect(() => parseConfig(stackConfig(EXAMPLE), PROJECT, ENVIRONMENT, [], stack)).toThrow(
    "Pulumi.calico-test.yaml has it",
  );
});

test("returns secrets only as secret outputs, and none for the empty defaults of Pulumi.yaml", async () => {
  await mockEngine("calico-test");
  const secrets = ["alertWebhookUrl", "smtpPassword"].map((key) => `${PROJECT}:${key}`);
  vi.stubEnv("PULUMI_CONFIG_SECRET_KEYS", JSON.stringify(secrets));
  vi.stubEnv("K8SFV_CRDS", "/crds");
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const all = changed({ alertWebhookUrl: "https://example.org/hush", smtpPassword: undefined });
  pulumi.runtime.setAllConfig(all, secrets);
  const config = loadConfig();
  expect(await pulumi.isSecret(pulumi.output(config.alertWebhookUrl))).toBe(true);
  expect(config).not.toHaveProperty("smtpPassword");
  const plain = parseConfig(all, PROJECT, ENVIRONMENT, SECRET_KEYS);
  expect(JSON.stringify(plain)).not.toContain("hush");
});

testRejections(
  ["an unknown key", { regoin: "x" }, 'regoin is "x"; allowed: no such key; the keys are project, region'],
  ["an unknown key, with a suggestion", { regoin: "x" }, 'Did you mean "region"?'],
  ["an unknown nested key", { cluster: { nodecount: 3 } }, 'Did you mean "cluster.nodeCount"?'],
  ["an unknown key of an optional object", { disks: { grafanaGB: 3 } }, 'Did you mean "disks.grafanaGb"?'],
  [
    "a key without a similar one",
    { colour: "x" },
    "remoteWrite, remoteWritePassword, longTerm, longTermPassword, longTermToken, crds, felix, grafana, alerts, ",
  ],
  ["a missing key", { project: undefined }, "project is missing; allowed: a Google Cloud project ID"],
  [
    "a missing object",
    { addresses: undefined },
    "addresses is missing; allowed: an object with the keys pushGateway,",
  ],
  [
    "a missing nested key",
    { cluster: { name: undefined } },
    "cluster.name is missing; allowed: 1 to 24 lower-case",
  ],
  [
    "a node count of 0",
    { cluster: { nodeCount: 0 } },
    "cluster.nodeCount is 0; allowed: an integer from 1 to 100",
  ],
  ["a fraction of a node", { cluster: { nodeCount: 1.5 } }, "cluster.nodeCount is 1.5; allowed: an integer"],
  [
    "a string for an integer",
    { cluster: { nodeCount: "two" } },
    'cluster.nodeCount is "two"; allowed: an integer',
  ],
  [
    "a string for an object",
    { cluster: "k8sfv" },
    'cluster is "k8sfv"; allowed: an object with the keys name, nodeCount',
  ],
  ["an upper-case name", { cluster: { name: "K8sfv" } }, 'cluster.name is "K8sfv"; allowed: 1 to 24'],
  [
    "a name with a dash at the end",
    { network: { name: "k8sfv-" } },
    'network.name is "k8sfv-"; allowed: 1 to',
  ],
  ["a name of 25 characters", { cluster: { name: "k".repeat(25) } }, "1 to 24 lower-case letters"],
  ["an invalid project ID", { project: "Calico" }, 'project is "Calico"; allowed: a Google Cloud project ID'],
  ["a zone of another region", { zone: "europe-west1-b" }, "allowed: a zone of the region us-central1"],
  [
    "a zone of a region whose name only begins alike",
    { zone: "us-central12-b" },
    "allowed: a zone of the region us-central1",
  ],
  ["an address instead of a range", { network: { podCidr: "10.249.0.0" } }, "network.podCidr is"],
  [
    "overlapping ranges",
    { network: { podCidr: "10.248.0.0/16" } },
    "doesn't overlap network.primaryCidr (10.248.0.0/20)",
  ],
  [
    "a range with host bits",
    { network: { primaryCidr: "10.248.1.0/20" } },
    "that begins with its first address",
  ],
  [
    "a range of the control plane with another prefix than /28",
    { network: { controlPlaneCidr: "10.251.0.0/24" } },
    "an IPv4 range with the prefix /28",
  ],
  [
    "a range of the control plane if the endpoint is not ip",
    { network: { controlPlaneCidr: "10.250.16.0/28" } },
    'network.controlPlaneCidr is "10.250.16.0/28"; allowed: no value unless cluster.endpoint is "ip"',
  ],
  [
    "a pod range with too few addresses for the nodes",
    { cluster: { nodeCount: 100 }, network: { podCidr: "10.249.0.0/19" } },
    "this one has 32",
  ],
  [
    "an address outside of the primary range",
    { addresses: { grafana: "10.249.1.7" } },
    "10.248.0.2 to 10.248.15.253",
  ],
  [
    "the address of the subnetwork's gateway",
    { addresses: { grafana: "10.248.0.1" } },
    "Google Cloud reserves the first two",
  ],
  ["a duplicate address", { addresses: { grafana: "10.248.1.4" } }, "an address that no other key has"],
  [
    "an invalid address",
    { addresses: { grafana: "10.248.1" } },
    'addresses.grafana is "10.248.1"; allowed: an IPv4',
  ],
  ["no source ranges", { ciSourceRanges: [] }, "ciSourceRanges is []; allowed: a list of at least one"],
  [
    "an invalid source range",
    { ciSourceRanges: ["10.0.0.0/8", "x"] },
    'ciSourceRanges.1 is "x"; allowed: an IPv4',
  ],
  ["an invalid URL", { crds: "htps://example.com/crds" }, "allowed: an https:// URL of a directory"],
  [
    "an http:// URL of the CRDs",
    { crds: "http://example.com/crds" },
    "allowed: an https:// URL of a directory",
  ],
  ["a URL without a host", { crds: "https://" }, "allowed: an https:// URL of a directory"],
  ["a relative path", { crds: "crds" }, "or an absolute path"],
  [
    "an environment variable that is not set",
    { crds: "${K8SFV_NOWHERE}/crds" },
    "K8SFV_NOWHERE is not in the environment",
  ],
  [
    "an image without a tag",
    { images: { grafana: "grafana/grafana" } },
    "allowed: an image with a tag, a digest or both",
  ],
  [
    "a disk of 1 GiB",
    { disks: { grafanaGb: 1 } },
    "disks.grafanaGb is 1; allowed: an integer from 10 to 65536 GiB",
  ],
  [
    "Spot VMs without acceptInterruptions",
    { cluster: { spot: true } },
    "or true together with cluster.acceptInterruptions: true",
  ],
  ["an unknown value of networkPolicy", { cluster: { networkPolicy: "none" } }, '"dataplane-v2" or "calico"'],
  ["a boot disk of 5 GiB", { cluster: { nodeDiskGb: 5 } }, "an integer from 10 to 65536 GiB"],
  [
    "peers if the VPC is an existing one",
    { network: { vpc: "default" } },
    'network.peers is ["default"]; allowed: no value',
  ],
  ["the network itself as a peer", { network: { peers: ["k8sfv"] } }, "names of other VPCs"],
  [
    "a peer of 55 characters, with which the peering's name has 64",
    { network: { peers: ["p".repeat(55)] } },
    "at most 63 characters",
  ],
  ["a string for peers", { network: { peers: "default" } }, "a list of names of VPCs, like [default]"],
  ["a string for protect", { disks: { protect: "no" } }, 'disks.protect is "no"; allowed: true or false'],
  ["a loopback range", { network: { podCidr: "127.0.0.0/16" } }, "a range that a subnetwork can have"],
  ["a link-local range", { network: { podCidr: "169.254.0.0/16" } }, "a range that a subnetwork can have"],
  [
    "an unknown access",
    { grafana: { access: "vpn" } },
    'grafana.access is "vpn"; allowed: "tunnel" or "direct"',
  ],
  [
    "a privileged port",
    { grafana: { tunnelPort: 80 } },
    "grafana.tunnelPort is 80; allowed: an integer from 1024",
  ],
  [
    "the IP endpoint without authorized networks",
    { cluster: { endpoint: "ip" } },
    'at least one IPv4 range when cluster.endpoint is "ip"',
  ],
  [
    "authorized networks without the IP endpoint",
    { cluster: { authorizedNetworks: ["10.0.0.0/8"] } },
    "no value unless cluster.endpoint",
  ],
  [
    "a string for anonymousViewer",
    { grafana: { anonymousViewer: "yes" } },
    'grafana.anonymousViewer is "yes"; allowed: true or false',
  ],
  [
    "a string for deletionProtection",
    { cluster: { deletionProtection: "yes" } },
    'deletionProtection is "yes"; allowed: true or false',
  ],
);

test("reports all problems in one error message, each of them once", () => {
  const message = messageFor({
    project: undefined,
    regoin: "x",
    cluster: { nodeCount: 0, name: "-" },
    network: { podCidr: "10.248.0.0/16", serviceCidr: "10.248.0.0/20" },
    addresses: { grafana: "192.168.1.1" },
    crds: "http:/nowhere",
  });
  expect(message.split("\n")[0]).toBe("The stack configuration has 9 problems; nothing was changed:");
  for (const key of ["project", "regoin", "cluster.nodeCount", "cluster.name", "addresses.grafana", "crds"]) {
    expect(message.match(new RegExp(`^  ${key} is `, "gm"))).toHaveLength(1);
  }
  expect(message.match(/doesn't overlap/g)).toHaveLength(3);
});

test("reports an unset environment variable once, although the value contains it twice", () => {
  const message = messageFor({ crds: "${K8SFV_NOWHERE}/${K8SFV_NOWHERE}" });
  expect(message).toContain("The stack configuration has 1 problem;");
});

test("the checks of stack files accept encrypted secrets", () => {
  // A long-term store has either a password or a token.
  const keys = SECRET_KEYS.filter((key) => key !== "longTermToken");
  const file = keys.map((key) => `  k8sfv-metrics:${key}:\n    secure: v1:AAAA:BBBB\n`).join("");
  const config = { ...stackConfig(FULL), ...configOf(`config:\n${file}`) };
  expect(() => parseConfig(config, PROJECT, ENVIRONMENT, SECRET_KEYS)).not.toThrow();
});
