import type { Unwrap } from "@pulumi/pulumi";
import type { core } from "@pulumi/kubernetes/types/input.js";

export type PodSpec = Unwrap<core.v1.PodSpec>;
export type Container = Unwrap<core.v1.Container>;

/** Inputs of a resource that creates pods, with only the fields that lead to the pod spec. */
interface Workload {
  spec?: { template?: { spec?: PodSpec }; jobTemplate?: { spec?: Workload["spec"] } };
  template?: { spec?: PodSpec };
}

/** Functions that return the pod spec from a resource's inputs, by the resource's group and kind. */
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

/**
 * Returns a type's group and kind, e.g. "apps:Deployment" for "kubernetes:apps/v1:Deployment"; undefined for
 * other types.
 */
function kindOf(type: string): string | undefined {
  const [, group, kind] = /^kubernetes:([^/:]+)\/[^:]+:(\w+)$/.exec(type) ?? [];
  return group === undefined || kind === undefined ? undefined : `${group}:${kind}`;
}

/** Returns whether resources of a type create pods. */
export function makesPods(type: string): boolean {
  return (kindOf(type) ?? "") in PODS;
}

/** Returns the pod spec of a resource; undefined without one. */
export function podOf(type: string, inputs: unknown): PodSpec | undefined {
  return PODS[kindOf(type) ?? ""]?.(inputs as never);
}

/** Returns all containers of a pod, including init containers and ephemeral ones. */
export function containersOf(pod: PodSpec): Container[] {
  const ephemeral = (pod.ephemeralContainers ?? []) as Container[];
  return [...(pod.initContainers ?? []), ...pod.containers, ...ephemeral];
}

/** Spec of the Prometheus Operator's resources, with only the fields that configure their pods. */
export interface InstanceSpec {
  image?: string;
  resources?: Container["resources"];
  securityContext?: PodSpec["securityContext"];
  hostNetwork?: boolean;
  volumes?: PodSpec["volumes"];
  /** Additional containers. A container without an image changes the operator's container of that name. */
  containers?: Container[];
  initContainers?: Container[];
}

/** Returns whether the operator creates pods for resources of a type. */
export function isInstance(type: string): boolean {
  return /^kubernetes:monitoring\.coreos\.com\/[^:]+:(Prometheus|PrometheusAgent|Alertmanager|ThanosRuler)$/.test(
    type,
  );
}

/**
 * Returns the containers that a custom resource adds to the pod. Entries that only patch a container of the operator
 * have no image and are left out.
 */
export function addedContainers(spec: InstanceSpec): Container[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? [])].filter(
    ({ image }) => image !== undefined,
  );
}
