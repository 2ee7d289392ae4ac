import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { pushProxyProgram } from "../../components/push-proxy.ts";
import type { Recorded } from "./mocks.ts";
import { mockEngine, named, settled, valueOf } from "./mocks.ts";
import { makeGateway, podOf } from "./workloads.ts";

let recorded: Recorded[];

beforeEach(async () => {
  recorded = await mockEngine();
});

test("push gateway: writes its metrics to a file on its disk, which the proxy reads", async () => {
  const gateway = await makeGateway();
  expect(await valueOf(pulumi.output(gateway.url))).toBe("http://10.248.1.4:9091");
  expect(await valueOf(gateway.urlInCluster)).toBe("http://prom-gateway.monitoring:9091");
  await settled(recorded);
  const [proxy, itself] = podOf(recorded, "push-gateway-deployment").containers;
  expect(itself?.args).toContain("--persistence.file=/data/metrics");
  expect(itself?.args, "no client bypasses the proxy").toContain("--web.listen-address=127.0.0.1:9092");
  expect(proxy?.env).toContainEqual({ name: "PUSH_PROXY_FILE", value: "/data/metrics" });
  expect(proxy?.env).toContainEqual({ name: "PUSH_PROXY_GATEWAY_PORT", value: "9092" });
  expect(named(recorded, "push-gateway-deployment").inputs.spec).toMatchObject({
    strategy: { type: "Recreate" },
  });
  expect(named(recorded, "push-gateway-service").inputs).toMatchObject({
    metadata: { name: "prom-gateway" },
    spec: { ports: [{ name: "metrics", port: 9091 }] },
  });
});

test("push proxy: bundles its program reproducibly and without comments", () => {
  const program = pushProxyProgram();
  expect(program).not.toContain("The durable push proxy");
  expect(program).not.toMatch(/\/\/ components|\/\*\*/);
  expect(program).toContain("createServer");
});

test("push proxy: the canary runs the program of the Pushgateway's image", async () => {
  await makeGateway();
  await settled(recorded);
  const { initContainers, containers } = podOf(recorded, "push-gateway-deployment");
  expect(initContainers?.[0]).toMatchObject({
    image: containers[1]?.image,
    command: ["cp", "/bin/pushgateway", "/canary"],
  });
  expect(containers[0]?.env).toContainEqual({
    name: "PUSH_PROXY_CANARY_PROGRAM",
    value: "/canary/pushgateway",
  });
});

test("push gateway: scraped series have no pod labels", async () => {
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

test("push gateway: provides the password to clients and only its hash to the Pushgateway", async () => {
  const gateway = await makeGateway({ auth: true });
  const url = pulumi.output(gateway.url);
  expect(await valueOf(url)).toBe("http://ci:generated@10.248.1.4:9091");
  expect(await pulumi.isSecret(url)).toBe(true);
  expect(await pulumi.isSecret(gateway.urlInCluster)).toBe(true);
  await settled(recorded);
  // The SDK passes a secret to the engine in the field `value` of an object.
  const { stringData } = named(recorded, "push-gateway-password-secret").inputs as {
    stringData: { value: Record<string, string> };
  };
  expect(stringData.value["web.yml"]).toBe("basic_auth_users:\n  ci: hash of it\n");
  const pod = podOf(recorded, "push-gateway-deployment");
  expect(JSON.stringify(pod)).not.toContain("generated");
  expect(pod.containers[1]?.args).toContain("--web.config.file=/etc/pushgateway/web.yml");
  const { spec } = named(recorded, "push-gateway-monitor").inputs as { spec: { endpoints: object[] } };
  expect(spec.endpoints[0]).toMatchObject({ basicAuth: { password: { key: "password" } } });
});

test("push gateway: has no address and no external URL with exposure in-cluster", async () => {
  const gateway = await makeGateway({ exposure: "in-cluster" });
  expect(gateway.url).toBeUndefined();
  expect(await valueOf(gateway.urlInCluster)).toBe("http://prom-gateway.monitoring:9091");
  await settled(recorded);
  expect(named(recorded, "push-gateway-service").inputs.spec).not.toHaveProperty("loadBalancerIP");
});

async function makeEntrance(ranges: string[] | "anywhere") {
  const { PushEntrance } = await import("../../components/push-entrance.ts");
  const entrance = new PushEntrance("entrance", {
    apis: [],
    prefix: "k8sfv",
    labels: {},
    namespace: "monitoring",
    image: "example/pushgateway:v1",
    domain: "push.example.com",
    sourceRanges: ranges,
    protectAddress: true,
  });
  await settled(recorded);
  return entrance;
}

test("push entrance: has TLS for the domain, and the password in the URL", async () => {
  const entrance = await makeEntrance(["203.0.113.0/24"]);
  const url = entrance.urlWith(pulumi.secret("ci:generated"));
  expect(await valueOf(url)).toBe("https://ci:generated@push.example.com");
  expect(await pulumi.isSecret(url)).toBe(true);
  expect(named(recorded, "entrance-certificate").inputs.spec).toEqual({ domains: ["push.example.com"] });
  expect(
    named(recorded, "entrance-service").inputs.metadata,
    "the ServiceMonitor must not select this Service too, or it would be scraped twice",
  ).not.toHaveProperty(["labels", "app.kubernetes.io/name"]);
});

test("push entrance: the load balancer's timeout is longer than the push proxy's, and its idle timeout is shorter", async () => {
  await makeGateway();
  await makeEntrance("anywhere");
  const { timeoutSec } = named(recorded, "entrance-backend").inputs.spec as { timeoutSec: number };
  const [proxy] = podOf(recorded, "push-gateway-deployment").containers;
  const setting = proxy?.env?.find(({ name }) => name === "PUSH_PROXY_TIMEOUT_SECONDS");
  // A push of 4 MiB uploads for up to 74 s at the lowest accepted rate. The push proxy then tries the push on its
  // canary, a second Pushgateway, for up to 40 s before it waits for the Pushgateway.
  expect(timeoutSec).toBeGreaterThanOrEqual(Number(setting?.value) + 74 + 40);
  const [, keepAliveMs] = /KEEP_ALIVE_MS=([\de]+)/.exec(pushProxyProgram()) ?? [];
  // Google's load balancers keep an idle connection to a backend for 600 s.
  expect(Number(keepAliveMs)).toBeGreaterThan(600_000);
});

interface FirewallRule {
  action: string;
  match: { config: { srcIpRanges: string[] } };
}

test("push entrance: admits only the given ranges, ten per rule", async () => {
  const ranges = Array.from({ length: 12 }, (_, at) => `203.0.113.${at}/32`);
  await makeEntrance(ranges);
  const { rules } = named(recorded, "entrance-policy").inputs as { rules: FirewallRule[] };
  const allowed = rules.filter(({ action }) => action === "allow");
  expect(allowed.map(({ match }) => match.config.srcIpRanges.length)).toEqual([10, 2]);
  expect(allowed.flatMap(({ match }) => match.config.srcIpRanges)).toEqual(ranges);
  expect(rules.at(-1)).toMatchObject({ action: "deny(403)", match: { config: { srcIpRanges: ["*"] } } });
});

test("push entrance: waits up to 20 minutes for the deletion of the Ingress, because Google's load balancer takes long", async () => {
  const timeouts: (pulumi.CustomTimeouts | undefined)[] = [];
  vi.doMock("@pulumi/kubernetes/networking/v1/ingress.js", () => ({
    Ingress: function (_name: string, _args: object, opts: pulumi.CustomResourceOptions) {
      timeouts.push(opts.customTimeouts);
    },
  }));
  vi.resetModules();
  onTestFinished(() => {
    vi.doUnmock("@pulumi/kubernetes/networking/v1/ingress.js");
    vi.resetModules();
  });
  await makeEntrance("anywhere");
  expect(timeouts).toEqual([{ create: "10m", update: "10m", delete: "20m" }]);
});

test("push entrance: limits the requests of each client address if all addresses may push", async () => {
  await makeEntrance("anywhere");
  const { rules } = named(recorded, "entrance-policy").inputs as { rules: FirewallRule[] };
  expect(rules.map(({ action }) => action)).toEqual(["throttle", "allow"]);
});
