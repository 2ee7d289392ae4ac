import { describe, expect, test } from "vitest";
import * as google from "../../policy/google.ts";
import { inexactImage } from "../../policy/images.ts";
import * as ingresses from "../../policy/ingresses.ts";
import * as shielded from "../../policy/shielded-nodes.ts";
import * as kubernetes from "../../policy/kubernetes.ts";
import type { Props } from "./policy-subjects.ts";
import { problems, resource, UNKNOWN } from "./policy-subjects.ts";

const DEPLOYMENT = "kubernetes:apps/v1:Deployment";
const PROMETHEUS = "kubernetes:monitoring.coreos.com/v1:Prometheus";
const SERVICE = "kubernetes:core/v1:Service";

test.each([
  ["quay.io/prometheus/prometheus:v3.16.0", true],
  ["localhost:5000/k8sfv/grafana:10.0.0-oss", true],
  [`docker.io/grafana/grafana@sha256:${"0".repeat(64)}`, true],
  [`docker.io/grafana/grafana:latest@sha256:${"0".repeat(64)}`, true],
  ["grafana", false],
  ["localhost:5000/grafana", false],
  ["grafana/grafana:latest", false],
  ["grafana/grafana:12", false],
  ["grafana/grafana:v12.3", false],
  ["grafana/grafana@sha256:abc", false],
  ["", false],
  [undefined, false],
])("inexactImage accepts %s: %s", (image, exact) => {
  expect(inexactImage(image) === undefined).toBe(exact);
});

describe("Kubernetes policies", () => {
  const pod = {
    securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    containers: [container()],
  };

  function container(more: Props = {}) {
    return {
      name: "grafana",
      image: "docker.io/grafana/grafana:12.3.0",
      resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "512Mi" } },
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      },
      ...more,
    };
  }

  /** Returns a Deployment whose pod satisfies all rules except for the given fields. */
  function deployment(more: Props = {}) {
    return resource(DEPLOYMENT, { spec: { template: { spec: { ...pod, ...more } } } });
  }

  /** Returns a Deployment whose container satisfies all rules except for the given fields. */
  function withContainer(more: Props) {
    return deployment({ containers: [container(more)] });
  }

  function instance(more: Props = {}) {
    const spec = {
      image: "quay.io/prometheus/prometheus:v3.16.0",
      resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "2Gi" } },
      securityContext: pod.securityContext,
      // This entry changes a container that the operator adds, so it needs no image.
      containers: [{ name: "config-reloader", args: ["--log-level=debug"] }],
      externalUrl: UNKNOWN,
      ...more,
    };
    return resource(PROMETHEUS, { spec });
  }

  const podPolicies = [
    kubernetes.imagesAreExact,
    kubernetes.containersSayWhatTheyNeed,
    kubernetes.containersAreConfined,
  ];

  test.each(podPolicies)("$name accepts compliant pods", async (policy) => {
    expect(await problems(policy, deployment())).toEqual([]);
    expect(await problems(policy, instance())).toEqual([]);
    expect(await problems(policy, instance({ containers: [container()] }))).toEqual([]);
    expect(await problems(policy, resource("kubernetes:core/v1:ConfigMap", {}))).toEqual([]);
  });

  const bad = { name: "bad", image: "bad:latest" };
  const badPod = { containers: [container()], initContainers: [bad] };
  test.each([
    ["kubernetes:core/v1:Pod", { spec: badPod }],
    ["kubernetes:core/v1:PodTemplate", { template: { spec: badPod } }],
    ["kubernetes:core/v1:ReplicationController", { spec: { template: { spec: badPod } } }],
    ["kubernetes:apps/v1:ReplicaSet", { spec: { template: { spec: badPod } } }],
    ["kubernetes:apps/v1:StatefulSet", { spec: { template: { spec: badPod } } }],
    ["kubernetes:apps/v1beta2:DaemonSet", { spec: { template: { spec: badPod } } }],
    ["kubernetes:batch/v1:Job", { spec: { template: { spec: badPod } } }],
    ["kubernetes:batch/v1:CronJob", { spec: { jobTemplate: { spec: { template: { spec: badPod } } } } }],
    [PROMETHEUS, { spec: { ...pod, ...container(), containers: [bad] } }],
    ["kubernetes:monitoring.coreos.com/v1:Alertmanager", { spec: { initContainers: [bad] } }],
  ])("checks all containers of a %s", async (type, props) => {
    for (const policy of podPolicies) {
      expect(await problems(policy, resource(type, props))).toContainEqual(expect.stringContaining("bad"));
    }
  });

  test("images-are-exact also checks the image in the operator's argument", async () => {
    const { imagesAreExact: policy } = kubernetes;
    expect(await problems(policy, withContainer({ image: "grafana:latest" }))).toEqual([
      expect.stringContaining('Set the image of the container "grafana"'),
    ]);
    expect(await problems(policy, instance({ image: undefined }))).toEqual([
      expect.stringContaining("Set spec.image"),
    ]);
    const withArgument = (image: string) =>
      withContainer({ args: [UNKNOWN, `--prometheus-config-reloader=${image}`] });
    expect(await problems(policy, withArgument("reloader:v0.85.0"))).toEqual([]);
    expect(await problems(policy, withArgument("reloader:v0.85"))).toEqual([
      expect.stringContaining("the argument --prometheus-config-reloader=reloader:v0.85"),
    ]);
  });

  test("containers-say-what-they-need lists the missing requests and limits", async () => {
    const { containersSayWhatTheyNeed: policy } = kubernetes;
    const requests = { cpu: "50m", memory: "128Mi" };
    expect(await problems(policy, withContainer({ resources: { requests } }))).toEqual([
      expect.stringContaining('Set limits.memory in resources of the container "grafana"'),
    ]);
    expect(await problems(policy, withContainer({ resources: { limits: { memory: "1Gi" } } }))).toEqual([
      expect.stringContaining("requests.cpu, requests.memory"),
    ]);
    expect(await problems(policy, instance({ resources: {} }))).toEqual([
      expect.stringContaining("requests.cpu, requests.memory, limits.memory in spec.resources"),
    ]);
  });

  const tight = container().securityContext;
  test.each<[string, Props]>([
    ["set runAsNonRoot to true", { securityContext: { ...tight, runAsNonRoot: false } }],
    ["to a non-root user", { securityContext: { ...tight, runAsUser: 0 } }],
    ["set seccompProfile", { securityContext: { ...tight, seccompProfile: { type: "Unconfined" } } }],
    ["set readOnlyRootFilesystem", { securityContext: { ...tight, readOnlyRootFilesystem: undefined } }],
    ["set allowPrivilegeEscalation", { securityContext: { ...tight, allowPrivilegeEscalation: undefined } }],
    ["remove privileged", { securityContext: { ...tight, privileged: true } }],
    ['set capabilities.drop to ["ALL"]', { securityContext: { ...tight, capabilities: { drop: ["KILL"] } } }],
    [
      "remove capabilities.add",
      { securityContext: { ...tight, capabilities: { drop: ["ALL"], add: ["SYS_ADMIN"] } } },
    ],
    ["set readOnlyRootFilesystem to true, set allowPrivilegeEscalation", { securityContext: undefined }],
  ])("containers-are-confined reports: %s", async (fix, more) => {
    expect(await problems(kubernetes.containersAreConfined, withContainer(more))).toEqual([
      expect.stringContaining(fix),
    ]);
  });

  test("containers-are-confined also checks fields of the pod and of the operator's resources", async () => {
    const { containersAreConfined: policy } = kubernetes;
    const messages = await problems(policy, deployment({ securityContext: undefined, hostNetwork: true }));
    expect(messages).toEqual([
      expect.stringContaining("Remove hostNetwork"),
      expect.stringContaining("set runAsNonRoot to true, set seccompProfile.type to RuntimeDefault"),
    ]);
    expect(await problems(policy, instance({ securityContext: undefined, hostNetwork: true }))).toHaveLength(
      2,
    );
  });

  test("containers-are-confined reports volumes that are directories of the node", async () => {
    const { containersAreConfined: policy } = kubernetes;
    const volumes = [
      { name: "scratch", emptyDir: {} },
      { name: "logs", hostPath: { path: "/var/log" } },
    ];
    for (const from of [deployment, instance]) {
      expect(await problems(policy, from({ volumes }))).toEqual([
        expect.stringContaining('Remove hostPath from the volume "logs"'),
      ]);
      expect(await problems(policy, from({ volumes: volumes.slice(0, 1) }))).toEqual([]);
    }
  });

  test("load-balancers-name-their-sources requires narrow source ranges", async () => {
    const { loadBalancersNameTheirSources: policy } = kubernetes;
    const service = (spec: Props) => resource(SERVICE, { spec });
    const balanced = (...loadBalancerSourceRanges: string[]) =>
      service({ type: "LoadBalancer", loadBalancerSourceRanges });
    expect(await problems(policy, service({ type: "ClusterIP" }))).toEqual([]);
    expect(await problems(policy, balanced("10.248.0.0/20"))).toEqual([]);
    for (const open of [service({ type: "LoadBalancer" }), balanced()]) {
      expect(await problems(policy, open)).toEqual([expect.stringContaining("admits all addresses")]);
    }
    expect(await problems(policy, balanced("10.248.0.0/20", "0.0.0.0/0"))).toEqual([
      expect.stringContaining("0.0.0.0/0 is wider"),
    ]);
  });

  test.each<[string, Props, boolean]>([
    ["gateway.networking.k8s.io/v1:Gateway", { spec: { gatewayClassName: "gke-l7-rilb" } }, true],
    [
      "gateway.networking.k8s.io/v1:Gateway",
      { spec: { gatewayClassName: "gke-l7-global-external-managed" } },
      false,
    ],
  ])("load-balancers-name-their-sources: %s %j is internal: %s", async (type, props, internal) => {
    const messages = await problems(
      kubernetes.loadBalancersNameTheirSources,
      resource(`kubernetes:${type}`, props),
    );
    expect(messages).toEqual(internal ? [] : [expect.stringContaining("open to the internet")]);
  });
});

test("all rules have unique names and are in the policy pack", () => {
  const exported = [google, shielded, kubernetes, ingresses]
    .flatMap((rules) => Object.values(rules))
    .filter((one) => !Array.isArray(one));
  const packed = [...google.googlePolicies, ...kubernetes.kubernetesPolicies, ...ingresses.ingressPolicies];
  expect(new Set(packed)).toEqual(new Set(exported));
  expect(new Set(packed.map(({ name }) => name)).size).toBe(packed.length);
});
