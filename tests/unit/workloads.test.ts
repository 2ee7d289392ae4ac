import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test, vi } from "vitest";
import type { Operator } from "../../components/operator.ts";
import type { PushGatewayArgs } from "../../components/push-gateway.ts";
import type { Recorded } from "./mocks.ts";
import { mockEngine, named, settled, valueOf } from "./mocks.ts";

vi.mock("../../components/operator-crds.ts", () => ({ readCrds: () => Promise.resolve("definitions") }));

let recorded: Recorded[];

beforeEach(async () => {
  recorded = await mockEngine();
});

const disk = { id: pulumi.output("projects/p/zones/z/disks/d"), sizeGb: 200 };
const sourceRanges = ["10.248.0.0/20"];

const shared = { namespace: "monitoring", priorityClassName: "high", disk, sourceRanges };

async function makeOperator() {
  const { Operator } = await import("../../components/operator.ts");
  return new Operator("operator", {
    namespace: "monitoring",
    priorityClassName: "high",
    crds: "/crds",
    image: "example/operator:v1",
    configReloaderImage: "example/reloader:v1",
  });
}

async function makeGateway(more: Partial<PushGatewayArgs> = {}) {
  const { PushGateway } = await import("../../components/push-gateway.ts");
  return new PushGateway("push-gateway", {
    ...shared,
    image: "example/pushgateway:v1",
    guardImage: "example/node:20",
    address: "10.248.1.4",
    operator: more.operator ?? (await makeOperator()),
    exposure: "internal",
    auth: false,
    ...more,
  });
}

async function makeGrafana(anonymousViewer = false, operator?: Operator) {
  const { Grafana } = await import("../../components/grafana.ts");
  return new Grafana("grafana", {
    ...shared,
    image: "example/grafana:12",
    protectPassword: true,
    address: "10.248.1.7",
    operator: operator ?? (await makeOperator()),
    anonymousViewer,
  });
}

interface PodSpec {
  securityContext: { runAsNonRoot: boolean };
  automountServiceAccountToken: boolean;
  priorityClassName: string;
  terminationGracePeriodSeconds: number;
  containers: {
    args?: string[];
    env?: { name: string; value?: string }[];
    securityContext: { capabilities: { drop: string[] } };
    resources: { requests?: object; limits?: object };
  }[];
}

function podOf(name: string): PodSpec {
  const { spec } = named(recorded, name).inputs as { spec: { template: { spec: PodSpec } } };
  return spec.template.spec;
}

test("namespace: monitoring", async () => {
  const { Namespace } = await import("../../components/namespace.ts");
  const { ServiceAccount } = await import("@pulumi/kubernetes/core/v1/serviceAccount.js");
  const namespace = new Namespace("namespace", { nodes: new ServiceAccount("nodes") });
  expect(await valueOf(namespace.namespaceName)).toBe("monitoring");
  await settled(recorded);
  expect(named(recorded, "namespace-monitoring").inputs.metadata).toMatchObject({
    labels: { "pod-security.kubernetes.io/enforce": "restricted" },
  });
});

test("disk claim: exactly that disk, kept when claim and volume go", async () => {
  const { DiskClaim } = await import("../../components/disk-claim.ts");
  const claim = new DiskClaim("d", { namespace: "monitoring", claimName: "c", volumeName: "v", disk });
  expect(await valueOf(claim.claimName)).toBe("c");
  await settled(recorded);
  expect(named(recorded, "d-volume").inputs.spec).toMatchObject({
    capacity: { storage: "200Gi" },
    persistentVolumeReclaimPolicy: "Retain",
    storageClassName: "",
    claimRef: { namespace: "monitoring", name: "c" },
    csi: { driver: "pd.csi.storage.gke.io", volumeHandle: "projects/p/zones/z/disks/d" },
  });
  expect(named(recorded, "d-claim").inputs.spec).toMatchObject({ storageClassName: "", volumeName: "v" });
});

test("operator: looks after its own namespace only", async () => {
  await makeOperator();
  await settled(recorded);
  expect(podOf("operator-deployment").containers[0]?.args).toContain("--namespaces=monitoring");
  expect(named(recorded, "operator-crds").inputs.yaml).toBe("definitions");
  const { rules } = named(recorded, "operator-cluster-role").inputs as { rules: { resources: string[] }[] };
  expect(rules.flatMap(({ resources }) => resources)).toEqual(["namespaces", "events"]);
});

test("operator: every verb is named, and secrets are its own namespace's", async () => {
  await makeOperator();
  await settled(recorded);
  for (const name of ["operator-role", "operator-cluster-role"]) {
    const { rules } = named(recorded, name).inputs as {
      rules: { verbs: string[]; resources: string[]; resourceNames?: string[] }[];
    };
    expect(rules.flatMap(({ verbs, resources }) => [...verbs, ...resources])).not.toContain("*");
    const namespaces = rules.find(({ resources }) => resources.includes("namespaces"));
    if (namespaces !== undefined) expect(namespaces.resourceNames).toEqual(["monitoring"]);
  }
});

async function makePrometheus(remoteWrite?: { url: string; user?: string; password?: string }) {
  const { Prometheus } = await import("../../components/prometheus.ts");
  return new Prometheus("prometheus", {
    ...shared,
    image: "example/prometheus:v3.16.0",
    address: "10.248.1.6",
    operator: await makeOperator(),
    remoteWrite,
  });
}

test("prometheus: five years, on its disk, at its address", async () => {
  const { retentionSize } = await import("../../components/prometheus.ts");
  const prometheus = await makePrometheus();
  expect(await valueOf(prometheus.url)).toBe("http://10.248.1.6:9090");
  expect(await valueOf(prometheus.urlInCluster)).toBe("http://prometheus.monitoring:9090");
  await settled(recorded);
  expect(named(recorded, "prometheus-instance").inputs).toMatchObject({
    kind: "Prometheus",
    metadata: { name: "k8sfv" },
    spec: {
      version: "v3.16.0",
      scrapeInterval: "10s",
      retention: "43800h",
      retentionSize: "160GB",
      walCompression: true,
      enableAdminAPI: false,
      enableRemoteWriteReceiver: false,
      reloadStrategy: "ProcessSignal",
      priorityClassName: "high",
    },
  });
  expect(retentionSize(10)).toBe("8GB");
  const claim = named(recorded, "prometheus-disk-claim").inputs as { metadata: { name: string } };
  expect(claim.metadata.name, "what the StatefulSet looks for").toBe("data-prometheus-k8sfv-0");
  expect(named(recorded, "prometheus-service").inputs).toMatchObject({
    metadata: { annotations: { "networking.gke.io/load-balancer-type": "Internal" } },
    spec: {
      loadBalancerIP: "10.248.1.6",
      loadBalancerSourceRanges: sourceRanges,
      externalTrafficPolicy: "Local",
    },
  });
});

test("prometheus: sends on what it stores, with a password out of a Secret", async () => {
  await makePrometheus({ url: "https://mimir.example.com/api/v1/push", user: "k8sfv", password: "hush" });
  await settled(recorded);
  const { spec } = named(recorded, "prometheus-instance").inputs as { spec: { remoteWrite: object[] } };
  expect(spec.remoteWrite).toMatchObject([
    {
      url: "https://mimir.example.com/api/v1/push",
      basicAuth: { username: { key: "user" }, password: { key: "password" } },
    },
  ]);
  expect(JSON.stringify(spec)).not.toContain("hush");
});

test.each([
  ["https://mimir.example.com/api/v1/push", 443],
  ["http://mimir.example.com/", 80],
  ["http://10.0.0.7:9009/api/v1/push", 9009],
  ["smtp://smtp.example.org:587", 587],
])("the port of %s is %d", async (url, port) => {
  const { portOf } = await import("../../components/network-policies.ts");
  expect(portOf(url)).toBe(port);
});

test("network policies: nothing passes that isn't written down; alerts and a receiver get their ports", async () => {
  const { NetworkPolicies } = await import("../../components/network-policies.ts");
  new NetworkPolicies("policies", {
    namespace: "monitoring",
    sourceRanges,
    apiRanges: ["10.250.16.0/28"],
    exposure: "in-cluster",
    remoteWriteUrl: "http://10.0.0.7:9009/api/v1/push",
    alertUrls: ["smtp://smtp.example.org:587", pulumi.secret("https://example.org/hook")],
  });
  await settled(recorded);
  expect(named(recorded, "policies-default").inputs.spec).toEqual({
    podSelector: {},
    policyTypes: ["Ingress", "Egress"],
  });
  const openTo = (name: string) => {
    const { spec } = named(recorded, `policies-${name}`).inputs as {
      spec: { egress: { to: object[]; ports: { port: number }[] }[]; ingress: { from: object[] }[] };
    };
    const everywhere = spec.egress.filter(({ to }) => to.length === 0);
    return { ports: everywhere.flatMap(({ ports }) => ports.map(({ port }) => port)), spec };
  };
  expect(openTo("prometheus").ports).toEqual([9009]);
  expect(openTo("grafana").ports).toEqual([587, 443]);
  expect(openTo("prom-gateway").spec.egress).toEqual([]);
  expect(JSON.stringify(openTo("prom-gateway").spec.ingress), "in the cluster only").not.toContain("ipBlock");
});

test("push gateway: persists to a file on its disk, where the guard before it looks", async () => {
  const gateway = await makeGateway();
  expect(await valueOf(pulumi.output(gateway.url))).toBe("http://10.248.1.4:9091");
  expect(await valueOf(gateway.urlInCluster)).toBe("http://prom-gateway.monitoring:9091");
  await settled(recorded);
  const [guard, itself] = podOf("push-gateway-deployment").containers;
  expect(itself?.args).toContain("--persistence.file=/data/metrics");
  expect(itself?.args, "nobody passes the guard by").toContain("--web.listen-address=127.0.0.1:9092");
  expect(guard?.env).toContainEqual({ name: "GUARD_FILE", value: "/data/metrics" });
  expect(guard?.env).toContainEqual({ name: "GUARD_GATEWAY_PORT", value: "9092" });
  expect(named(recorded, "push-gateway-deployment").inputs.spec).toMatchObject({
    strategy: { type: "Recreate" },
  });
  expect(named(recorded, "push-gateway-service").inputs).toMatchObject({
    metadata: { name: "prom-gateway" },
    spec: { ports: [{ name: "metrics", port: 9091 }] },
  });
});

test("push gateway: its series don't name its pod", async () => {
  await makeGateway();
  await settled(recorded);
  const { spec } = named(recorded, "push-gateway-monitor").inputs as {
    spec: { endpoints: { port: string; honorLabels: boolean; relabelings: { regex?: string }[] }[] };
  };
  expect(spec.endpoints[0]).toMatchObject({ port: "metrics", honorLabels: true });
  const dropped = new RegExp(`^(?:${spec.endpoints[0]?.relabelings[0]?.regex ?? ""})$`);
  for (const label of ["pod", "container", "endpoint", "namespace", "service"]) {
    expect(label).toMatch(dropped);
  }
  expect("job").not.toMatch(dropped);
});

test("push gateway: with a password, everyone who asks has it, and the gateway its hash alone", async () => {
  const gateway = await makeGateway({ auth: true });
  const url = pulumi.output(gateway.url);
  expect(await valueOf(url)).toBe("http://ci:generated@10.248.1.4:9091");
  expect(await pulumi.isSecret(url)).toBe(true);
  expect(await pulumi.isSecret(gateway.urlInCluster)).toBe(true);
  await settled(recorded);
  // A secret reaches the mocks in a wrapper.
  const { stringData } = named(recorded, "push-gateway-password-secret").inputs as {
    stringData: { value: Record<string, string> };
  };
  expect(stringData.value["web.yml"]).toBe("basic_auth_users:\n  ci: hash of it\n");
  const pod = podOf("push-gateway-deployment");
  expect(JSON.stringify(pod)).not.toContain("generated");
  expect(pod.containers[1]?.args).toContain("--web.config.file=/etc/pushgateway/web.yml");
  const { spec } = named(recorded, "push-gateway-monitor").inputs as { spec: { endpoints: object[] } };
  expect(spec.endpoints[0]).toMatchObject({ basicAuth: { password: { key: "password" } } });
});

test("push gateway: in the cluster only, it has no address and no URL for others", async () => {
  const gateway = await makeGateway({ exposure: "in-cluster" });
  expect(gateway.url).toBeUndefined();
  expect(await valueOf(gateway.urlInCluster)).toBe("http://prom-gateway.monitoring:9091");
  await settled(recorded);
  expect(named(recorded, "push-gateway-service").inputs.spec).not.toHaveProperty("loadBalancerIP");
});

async function makeEntrance(ranges: string[] | "anywhere") {
  const { PushEntrance } = await import("../../components/push-entrance.ts");
  const entrance = new PushEntrance("entrance", {
    prefix: "k8sfv",
    namespace: "monitoring",
    image: "example/pushgateway:v1",
    domain: "push.example.com",
    sourceRanges: ranges,
  });
  await settled(recorded);
  return entrance;
}

test("push entrance: TLS on the domain, the password in the URL", async () => {
  const entrance = await makeEntrance(["203.0.113.0/24"]);
  const url = entrance.urlWith(pulumi.secret("ci:generated"));
  expect(await valueOf(url)).toBe("https://ci:generated@push.example.com");
  expect(await pulumi.isSecret(url)).toBe(true);
  expect(named(recorded, "entrance-certificate").inputs.spec).toEqual({ domains: ["push.example.com"] });
  expect(named(recorded, "entrance-service").inputs.metadata, "scraped once, not twice").not.toHaveProperty([
    "labels",
    "app.kubernetes.io/name",
  ]);
});

interface FirewallRule {
  action: string;
  match: { config: { srcIpRanges: string[] } };
}

test("push entrance: only the ranges given, ten a rule, and nobody else", async () => {
  const ranges = Array.from({ length: 12 }, (_, at) => `203.0.113.${at}/32`);
  await makeEntrance(ranges);
  const { rules } = named(recorded, "entrance-policy").inputs as { rules: FirewallRule[] };
  const allowed = rules.filter(({ action }) => action === "allow");
  expect(allowed.map(({ match }) => match.config.srcIpRanges.length)).toEqual([10, 2]);
  expect(allowed.flatMap(({ match }) => match.config.srcIpRanges)).toEqual(ranges);
  expect(rules.at(-1)).toMatchObject({ action: "deny(403)", match: { config: { srcIpRanges: ["*"] } } });
});

test("push entrance: anywhere is slowed down, address by address", async () => {
  await makeEntrance("anywhere");
  const { rules } = named(recorded, "entrance-policy").inputs as { rules: FirewallRule[] };
  expect(rules.map(({ action }) => action)).toEqual(["throttle", "allow"]);
});

test("grafana: a generated password, nobody in without it, nothing phoned home", async () => {
  const grafana = await makeGrafana();
  expect(await valueOf(grafana.url)).toBe("http://10.248.1.7:3000");
  await settled(recorded);
  expect(grafanaSettings()).toMatchObject({
    GF_AUTH_ANONYMOUS_ENABLED: "false",
    GF_USERS_ALLOW_SIGN_UP: "false",
    GF_ANALYTICS_REPORTING_ENABLED: "false",
    GF_SECURITY_COOKIE_SECURE: "false",
    GF_SECURITY_ADMIN_PASSWORD: undefined,
  });
  expect(named(recorded, "grafana-password").inputs).toMatchObject({ length: 32, special: false });
});

test("grafana: who is let in without signing in may look, and no more", async () => {
  await makeGrafana(true);
  await settled(recorded);
  expect(grafanaSettings()).toMatchObject({
    GF_AUTH_ANONYMOUS_ENABLED: "true",
    GF_AUTH_ANONYMOUS_ORG_ROLE: "Viewer",
  });
});

function grafanaSettings() {
  const env = podOf("grafana-deployment").containers[0]?.env ?? [];
  return Object.fromEntries(env.map(({ name, value }) => [name, value]));
}

test("every pod of ours runs without privileges, with requests and a memory limit", async () => {
  const operator = await makeOperator();
  await makeGrafana(false, operator);
  await makeGateway({ operator });
  await settled(recorded);
  for (const name of ["operator-deployment", "grafana-deployment", "push-gateway-deployment"]) {
    const pod = podOf(name);
    expect(pod, name).toMatchObject({
      securityContext: { runAsNonRoot: true },
      priorityClassName: "high",
      automountServiceAccountToken: name === "operator-deployment",
      terminationGracePeriodSeconds: expect.anything() as unknown,
    });
    for (const container of pod.containers) {
      expect(container.securityContext, name).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      expect(container.resources, name).toMatchObject({
        requests: { cpu: expect.anything() as unknown, memory: expect.anything() as unknown },
        limits: { memory: expect.anything() as unknown },
      });
    }
  }
});

test.each([
  ["quay.io/prometheus/prometheus:v3.16.0", "v3.16.0"],
  ["localhost:5000/k8sfv/grafana:10.0.0", "10.0.0"],
  ["grafana:12.3.0@sha256:" + "0".repeat(64), "12.3.0"],
  ["localhost:5000/grafana", "unknown"],
])("the version of %s is %s", async (image, version) => {
  const { imageVersion } = await import("../../components/conventions.ts");
  expect(imageVersion(image)).toBe(version);
});
