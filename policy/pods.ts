import type { Unwrap } from "@pulumi/pulumi";
import type { core } from "@pulumi/kubernetes/types/input.js";

export type PodSpec = Unwrap<core.v1.PodSpec>;
export type Container = Unwrap<core.v1.Container>;

/** Inputs of anything that makes pods, as far as it is the way to them. */
interface Workload {
  spec?: { template?: { spec?: PodSpec }; jobTemplate?: { spec?: Workload["spec"] } };
  template?: { spec?: PodSpec };
}

/** Where each kind keeps its pods' specification, by its type's token without the version. */
const PODS: Record<string, (inputs: never) => PodSpec | undefined> = {
  "core:Pod": (pod: { spec?: PodSpec }) => pod.spec,
  "core:PodTemplate": ({ template }: Workload) => template?.spec,
  "core:ReplicationController": ({ spec }: Workload) => spec?.template?.spec,
  "apps:Deployment": ({ spec }: Workload) => spec?.template?.spec,
  "apps:StatefulSet": ({ spec }: Workload) => spec?.template?.spec,
  "apps:DaemonSet": ({ spec }: Workload) => spec?.template?.spec,
  "apps:ReplicaSet": ({ spec }: Workload) => spec?.template?.spec,
  "batch:Job": ({ spec }: Workload) => spec?.template?.spec,
  "batch:CronJob": ({ spec }: Workload) => spec?.jobTemplate?.spec?.template?.spec,
};

/** "kubernetes:apps/v1:Deployment" → "apps:Deployment"; undefined for what isn't Kubernetes'. */
function kindOf(type: string): string | undefined {
  const [, group, kind] = /^kubernetes:([^/:]+)\/[^:]+:(\w+)$/.exec(type) ?? [];
  return group === undefined || kind === undefined ? undefined : `${group}:${kind}`;
}

/** Whether resources of this type make pods. */
export function makesPods(type: string): boolean {
  return (kindOf(type) ?? "") in PODS;
}

/** The pods that a resource makes; undefined when it says nothing of them. */
export function podOf(type: string, inputs: unknown): PodSpec | undefined {
  return PODS[kindOf(type) ?? ""]?.(inputs as never);
}

/** All containers of a pod, those that run before the others too. */
export function containersOf(pod: PodSpec): Container[] {
  const ephemeral = (pod.ephemeralContainers ?? []) as Container[];
  return [...(pod.initContainers ?? []), ...pod.containers, ...ephemeral];
}

/** What of the operator's own resources says how their pods are (monitoring.coreos.com, API reference). */
export interface InstanceSpec {
  image?: string;
  resources?: Container["resources"];
  securityContext?: PodSpec["securityContext"];
  hostNetwork?: boolean;
  /** Containers of one's own; one with a known name and no image is a change to one of the operator's. */
  containers?: Container[];
  initContainers?: Container[];
}

/** Whether it is one of the resources of which the operator makes pods. */
export function isInstance(type: string): boolean {
  return /^kubernetes:monitoring\.coreos\.com\/[^:]+:(Prometheus|PrometheusAgent|Alertmanager|ThanosRuler)$/.test(
    type,
  );
}

/** The containers that are added to the operator's own. */
export function addedContainers(spec: InstanceSpec): Container[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? [])].filter(
    ({ image }) => image !== undefined,
  );
}
