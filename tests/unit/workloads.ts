import * as pulumi from "@pulumi/pulumi";
import type { Operator } from "../../components/operator.ts";
import type { PushGatewayArgs } from "../../components/push-gateway.ts";
import type { Recorded } from "./mocks.ts";
import { named } from "./mocks.ts";

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
