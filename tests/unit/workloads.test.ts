import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test, vi } from "vitest";
import type { Recorded } from "./mocks.ts";
import { mockEngine, named, settled, valueOf } from "./mocks.ts";

vi.mock("../../components/operator-crds.ts", () => ({ readCrds: () => Promise.resolve("definitions") }));

let recorded: Recorded[];

beforeEach(async () => {
  recorded = await mockEngine();
});

const disk = { id: pulumi.output("projects/p/zones/z/disks/d"), sizeGb: 200 };
const sourceRanges = ["10.248.0.0/20"];

async function makeOperator() {
  const { Operator } = await import("../../components/operator.ts");
  return new Operator("operator", {
    namespace: "monitoring",
    crds: "/crds",
    image: "example/operator:v1",
    configReloaderImage: "example/reloader:v1",
  });
}

interface PodSpec {
  securityContext: { runAsNonRoot: boolean };
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
  expect(rules.flatMap(({ resources }) => resources)).toEqual(["namespaces", "storageclasses", "events"]);
});

test("prometheus: five years, on its disk, at its address", async () => {
  const { Prometheus, retentionSize } = await import("../../components/prometheus.ts");
  const operator = await makeOperator();
  const prometheus = new Prometheus("prometheus", {
    namespace: "monitoring",
    image: "example/prometheus:v3.16.0",
    disk,
    address: "10.248.1.6",
    sourceRanges,
    operator,
  });
  expect(await valueOf(prometheus.url)).toBe("http://10.248.1.6:9090");
  expect(await valueOf(prometheus.urlInCluster)).toBe("http://prometheus.monitoring:9090");
  await settled(recorded);
  expect(named(recorded, "prometheus-instance").inputs).toMatchObject({
    kind: "Prometheus",
    metadata: { name: "k8sfv" },
    spec: { version: "v3.16.0", scrapeInterval: "10s", retention: "43800h", retentionSize: "160GB" },
  });
  expect(retentionSize(10)).toBe("8GB");
  const claim = named(recorded, "prometheus-disk-claim").inputs as { metadata: { name: string } };
  expect(claim.metadata.name, "what the StatefulSet looks for").toBe("data-prometheus-k8sfv-0");
  expect(named(recorded, "prometheus-service").inputs).toMatchObject({
    metadata: { annotations: { "networking.gke.io/load-balancer-type": "Internal" } },
    spec: { loadBalancerIP: "10.248.1.6", loadBalancerSourceRanges: sourceRanges },
  });
});

test("push gateway: persists to a file on its disk; its series don't name its pod", async () => {
  const { PushGateway } = await import("../../components/push-gateway.ts");
  const operator = await makeOperator();
  const gateway = new PushGateway("push-gateway", {
    namespace: "monitoring",
    image: "example/pushgateway:v1",
    disk,
    address: "10.248.1.4",
    sourceRanges,
    operator,
  });
  expect(await valueOf(gateway.url)).toBe("http://10.248.1.4:9091");
  expect(await valueOf(gateway.urlInCluster)).toBe("http://prom-gateway.monitoring:9091");
  await settled(recorded);
  expect(podOf("push-gateway-deployment").containers[0]?.args).toContain("--persistence.file=/data/metrics");
  expect(named(recorded, "push-gateway-deployment").inputs.spec).toMatchObject({
    strategy: { type: "Recreate" },
  });
  expect(named(recorded, "push-gateway-service").inputs).toMatchObject({
    metadata: { name: "prom-gateway" },
    spec: { ports: [{ name: "metrics", port: 9091 }] },
  });
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

test("grafana: a generated password, nobody in without it, nothing phoned home", async () => {
  const { Grafana } = await import("../../components/grafana.ts");
  const grafana = new Grafana("grafana", {
    namespace: "monitoring",
    image: "example/grafana:12",
    disk,
    protectPassword: true,
    address: "10.248.1.7",
    sourceRanges,
  });
  expect(await valueOf(grafana.url)).toBe("http://10.248.1.7:3000");
  await settled(recorded);
  const env = Object.fromEntries(
    (podOf("grafana-deployment").containers[0]?.env ?? []).map(({ name, value }) => [name, value]),
  );
  expect(env).toMatchObject({
    GF_AUTH_ANONYMOUS_ENABLED: "false",
    GF_USERS_ALLOW_SIGN_UP: "false",
    GF_ANALYTICS_REPORTING_ENABLED: "false",
    GF_SECURITY_ADMIN_PASSWORD: undefined,
  });
  expect(named(recorded, "grafana-password").inputs).toMatchObject({ length: 32, special: false });
});

test("every pod of ours runs without privileges, with requests and a memory limit", async () => {
  const { Grafana } = await import("../../components/grafana.ts");
  const { PushGateway } = await import("../../components/push-gateway.ts");
  const operator = await makeOperator();
  const shared = { namespace: "monitoring", disk, sourceRanges };
  new Grafana("grafana", {
    ...shared,
    image: "example/grafana:12",
    protectPassword: true,
    address: "10.248.1.7",
  });
  new PushGateway("push-gateway", { ...shared, image: "example/pg:v1", address: "10.248.1.4", operator });
  await settled(recorded);
  for (const name of ["operator-deployment", "grafana-deployment", "push-gateway-deployment"]) {
    const pod = podOf(name);
    expect(pod.securityContext, name).toMatchObject({ runAsNonRoot: true });
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
