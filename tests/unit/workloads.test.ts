import { beforeEach, expect, test } from "vitest";
import type { Recorded } from "./mocks.ts";
import { mockEngine, named, settled, valueOf } from "./mocks.ts";
import { disk, makeGateway, makeGrafana, makeOperator, podOf, shared, sourceRanges } from "./workloads.ts";

let recorded: Recorded[];

beforeEach(async () => {
  recorded = await mockEngine();
});

test("namespace: creates the namespace monitoring, which enforces the restricted Pod Security Standard", async () => {
  const { Namespace } = await import("../../components/namespace.ts");
  const { ServiceAccount } = await import("@pulumi/kubernetes/core/v1/serviceAccount.js");
  const namespace = new Namespace("namespace", { nodes: new ServiceAccount("nodes") });
  expect(await valueOf(namespace.namespaceName)).toBe("monitoring");
  await settled(recorded);
  expect(named(recorded, "namespace-monitoring").inputs.metadata).toMatchObject({
    labels: { "pod-security.kubernetes.io/enforce": "restricted" },
  });
});

test("disk claim: binds an existing disk, which is kept when the claim and the volume are deleted", async () => {
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

test("operator: watches only its own namespace", async () => {
  await makeOperator();
  await settled(recorded);
  expect(podOf(recorded, "operator-deployment").containers[0]?.args).toContain("--namespaces=monitoring");
  expect(named(recorded, "operator-crds").inputs.yaml).toBe("definitions");
  const { rules } = named(recorded, "operator-cluster-role").inputs as { rules: { resources: string[] }[] };
  expect(rules.flatMap(({ resources }) => resources)).toEqual(["namespaces", "events"]);
});

test("operator: has no wildcard verbs, and access to Secrets only in its namespace", async () => {
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

test("prometheus: keeps five years of samples on its disk, and has the reserved address", async () => {
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
  expect(retentionSize(11), "rounded down, so that Prometheus never fills the disk").toBe("8GB");
  const claim = named(recorded, "prometheus-disk-claim").inputs as { metadata: { name: string } };
  expect(claim.metadata.name, "the operator's StatefulSet uses the claim with this name").toBe(
    "data-prometheus-k8sfv-0",
  );
  expect(named(recorded, "prometheus-service").inputs).toMatchObject({
    metadata: { annotations: { "networking.gke.io/load-balancer-type": "Internal" } },
    spec: {
      loadBalancerIP: "10.248.1.6",
      loadBalancerSourceRanges: sourceRanges,
      externalTrafficPolicy: "Local",
    },
  });
});

test("prometheus: sends samples by remote write with a password in a Secret", async () => {
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

test("grafana: has a generated password, no anonymous access, and no usage reports", async () => {
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

test("grafana: gives anonymous users only the role Viewer", async () => {
  await makeGrafana(true);
  await settled(recorded);
  expect(grafanaSettings()).toMatchObject({
    GF_AUTH_ANONYMOUS_ENABLED: "true",
    GF_AUTH_ANONYMOUS_ORG_ROLE: "Viewer",
  });
});

function grafanaSettings() {
  const env = podOf(recorded, "grafana-deployment").containers[0]?.env ?? [];
  return Object.fromEntries(env.map(({ name, value }) => [name, value]));
}

test("all pods run without privileges and have requests and a memory limit", async () => {
  const operator = await makeOperator();
  await makeGrafana(false, operator);
  await makeGateway({ operator });
  await settled(recorded);
  for (const name of ["operator-deployment", "grafana-deployment", "push-gateway-deployment"]) {
    const pod = podOf(recorded, name);
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
  ["grafana@sha256:" + "0".repeat(64), undefined],
  ["localhost:5000/grafana", undefined],
])("imageVersion returns the version of %s: %s", async (image, version) => {
  const { imageVersion } = await import("../../components/conventions.ts");
  expect(imageVersion(image)).toBe(version);
});
