import type { V1NetworkPolicy, V1Pod } from "@kubernetes/client-node";
import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test } from "vitest";
import { nodeRules } from "k8sfv-local-cloud/testing";
import type { Recorded } from "./mocks.ts";
import type { NetworkPoliciesArgs } from "../../components/network-policies.ts";
import { mockEngine, named, settled } from "./mocks.ts";
import { sourceRanges } from "./workloads.ts";

let recorded: Recorded[];

beforeEach(async () => {
  recorded = await mockEngine();
});

async function createPolicies(changes: Partial<NetworkPoliciesArgs>): Promise<void> {
  const { NetworkPolicies } = await import("../../components/network-policies.ts");
  new NetworkPolicies("policies", {
    namespace: "monitoring",
    sourceRanges,
    apiRanges: [],
    serviceRange: "10.250.0.0/20",
    exposure: "internal",
    alertUrls: [],
    ...changes,
  });
  await settled(recorded);
}

test.each([
  ["https://mimir.example.com/api/v1/push", 443],
  ["http://mimir.example.com/", 80],
  ["http://10.0.0.7:9009/api/v1/push", 9009],
  ["smtp://smtp.example.org:587", 587],
])("portOf returns the port of %s: %d", async (url, port) => {
  const { portOf } = await import("../../components/network-policies.ts");
  expect(portOf(url)).toBe(port);
});

test("denies all connections by default, and allows ports of alert URLs and the remote-write receiver", async () => {
  await createPolicies({
    apiRanges: ["10.250.16.0/28"],
    exposure: "in-cluster",
    writeUrls: ["http://mimir.example.com:9009/api/v1/push"],
    alertUrls: ["smtp://smtp.example.org:587", pulumi.secret("https://example.org/hook")],
  });
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
  expect(openTo("grafana").ports).toEqual([]);
  expect(openTo("alertmanager").ports).toEqual([587, 443]);
  expect(openTo("prom-gateway").spec.egress).toEqual([]);
  for (const name of ["prom-gateway", "push-queue"]) {
    expect(
      JSON.stringify(openTo(name).spec.ingress),
      `with exposure in-cluster, only pods may connect to ${name}`,
    ).not.toContain("ipBlock");
  }
});

test("allows Grafana to query NodeLocal DNSCache at the ClusterIP of kube-dns, where it listens in clusters with Calico", async () => {
  await createPolicies({});
  const policies = recorded
    .filter(({ type }) => type.endsWith(":NetworkPolicy"))
    .map(({ inputs }) => inputs as V1NetworkPolicy);
  const pod: V1Pod = {
    metadata: { namespace: "monitoring", uid: "1", labels: { "app.kubernetes.io/name": "grafana" } },
    spec: { nodeName: "node", containers: [] },
    status: { podIP: "10.249.0.7" },
  };
  // NodeLocal DNSCache answers on the node at the ClusterIP of kube-dns, so no pod selector matches these connections.
  // Therefore a rule must allow the range of Services.
  const rules = nodeRules({ policies, pods: [pod], namespaces: [] }, "node");
  for (const protocol of ["udp", "tcp"]) {
    expect(rules).toMatch(
      new RegExp(`^-A NP-OUT-\\w+ -d 10\\.250\\.0\\.0/20 -p ${protocol} --dport 53 -j RETURN$`, "m"),
    );
  }
});

test("allows Prometheus to connect to the port of each Felix target: at its IP address, or in the ranges of CI machines if it has a host name", async () => {
  const egress = async (felixTargets: string[]) => {
    recorded = await mockEngine();
    await createPolicies({ felixTargets });
    return (named(recorded, "policies-prometheus").inputs as { spec: { egress: object[] } }).spec.egress;
  };
  const usual = await egress([]);
  const tcp = (port: number) => [{ protocol: "TCP", port }];
  expect(await egress(["10.248.4.2:9091", "10.248.4.3:80"])).toEqual([
    ...usual,
    { to: [{ ipBlock: { cidr: "10.248.4.2/32" } }], ports: tcp(9091) },
    { to: [{ ipBlock: { cidr: "10.248.4.3/32" } }], ports: tcp(80) },
  ]);
  const [byName, dns, ...more] = (await egress(["ci.example.internal:9091"])).slice(usual.length);
  expect(byName).toEqual({ to: sourceRanges.map((cidr) => ({ ipBlock: { cidr } })), ports: tcp(9091) });
  expect(dns).toMatchObject({
    ports: [
      { protocol: "UDP", port: 53 },
      { protocol: "TCP", port: 53 },
    ],
  });
  expect(more).toEqual([]);
});
