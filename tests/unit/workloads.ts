import * as pulumi from "@pulumi/pulumi";
import type { GrafanaContentArgs } from "../../components/grafana-content.ts";
import type { Operator } from "../../components/operator.ts";
import type { PushGatewayArgs } from "../../components/push-gateway.ts";
import { DEFAULT_THRESHOLDS } from "../../monitoring-mixin/thresholds.ts";
import type { Recorded } from "./mocks.ts";
import { named, settled } from "./mocks.ts";

export const disk = { id: pulumi.output("projects/p/zones/z/disks/d"), sizeGb: 200 };
export const sourceRanges = ["10.248.0.0/20"];

/** Common arguments of workloads. */
export const shared = { namespace: "monitoring", priorityClassName: "high", disk, sourceRanges };

export async function makeOperator() {
  const { Operator } = await import("../../components/operator.ts");
  return new Operator("operator", {
    namespace: "monitoring",
    priorityClassName: "high",
    crds: "definitions",
    kubeconfig: "",
    image: "example/operator:v1",
    configReloaderImage: "example/reloader:v1",
  });
}

export async function makeGateway(more: Partial<PushGatewayArgs> = {}) {
  const { PushGateway } = await import("../../components/push-gateway.ts");
  return new PushGateway("push-gateway", {
    ...shared,
    image: "example/pushgateway:v1",
    proxyImage: "example/node:20",
    queueImage: "example/haproxy:3",
    address: "10.248.1.4",
    operator: more.operator ?? (await makeOperator()),
    exposure: "internal",
    auth: false,
    protectPassword: true,
    ...more,
  });
}

export async function makeGrafana(anonymousViewer = false, operator?: Operator) {
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

/** Creates Grafana's content with `more` arguments, and waits until it is registered. */
export async function makeContent(recorded: Recorded[], more: Partial<GrafanaContentArgs> = {}) {
  const { GrafanaContent } = await import("../../components/grafana-content.ts");
  const { ServiceAccount } = await import("@pulumi/kubernetes/core/v1/serviceAccount.js");
  const content = new GrafanaContent("content", {
    url: pulumi.output("http://127.0.0.1:33000"),
    publicUrl: pulumi.output("http://10.248.1.7:3000"),
    user: "admin",
    password: pulumi.secret("generated"),
    prometheusUrl: "http://prometheus.monitoring:9090",
    alertmanagerUrl: "http://alertmanager.monitoring:9093",
    prometheusVersion: "3.16.0",
    thresholds: DEFAULT_THRESHOLDS,
    deployment: new ServiceAccount("stands for the Deployment"),
    ...more,
  });
  await settled(recorded);
  return content;
}

/** Pod spec with only the fields that the tests use. */
interface PodSpec {
  securityContext: { runAsNonRoot: boolean };
  automountServiceAccountToken: boolean;
  priorityClassName: string;
  terminationGracePeriodSeconds: number;
  initContainers?: { image: string; command: string[] }[];
  containers: {
    image: string;
    args?: string[];
    env?: { name: string; value?: string }[];
    securityContext: { capabilities: { drop: string[] } };
    resources: { requests?: object; limits?: object };
  }[];
}

/** Returns the pod spec of a Deployment. */
export function podOf(recorded: Recorded[], name: string): PodSpec {
  const { spec } = named(recorded, name).inputs as { spec: { template: { spec: PodSpec } } };
  return spec.template.spec;
}
