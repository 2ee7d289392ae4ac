import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import type * as pulumi from "@pulumi/pulumi";
import type { Labels, WorkloadArgs } from "./conventions.ts";
import { imageVersion, runAs, workload } from "./conventions.ts";
import { CLAIMED, DiskClaim } from "./disk-claim.ts";
import { OPERATOR_WAIT } from "./operator-wait.ts";
import type { Operator } from "./operator.ts";

/** Arguments of managedInstance. */
export interface ManagedInstanceArgs extends Omit<WorkloadArgs, "address" | "sourceRanges"> {
  kind: "Prometheus" | "Alertmanager";
  /** The operator that creates and deletes the pod. */
  operator: Operator;
  labels: Labels;
  /** URL that the pod uses for links to itself. */
  externalUrl: pulumi.Input<string>;
  /** Fields of the resource's spec that only this kind has. */
  spec: Record<string, unknown>;
  /**
   * Patches for containers that the operator generates. Each patch is merged into the container of the same name.
   * @default none
   */
  containers?: { name: string; [field: string]: unknown }[];
  /** Other resources that the pod needs. */
  dependsOn: pulumi.Resource[];
}

/** Name of the Prometheus and the Alertmanager resource, the same as in the previous, hand-built environment. */
export const INSTANCE = "k8sfv";
/** Name of the claim template. The operator names the claim "TEMPLATE-prometheus-INSTANCE-0", for example. */
const CLAIM_TEMPLATE = "data";
/**
 * Patch for the container that reloads the configuration: probes its start every second, 30 times. The operator probes
 * every 10 s, also for 30 s in total. The first probe always fails, because the container doesn't listen yet, so with
 * the operator's probe a pod would be ready only after 10 s.
 */
const RELOADER = { name: "config-reloader", startupProbe: { periodSeconds: 1, failureThreshold: 30 } };

/**
 * Creates a Prometheus or an Alertmanager resource, for which the operator runs one pod, and a claim of that pod's
 * disk.
 */
export function managedInstance(
  name: string,
  { kind, operator, labels, externalUrl, spec, containers = [], dependsOn, ...args }: ManagedInstanceArgs,
  parent: pulumi.ComponentResource,
): void {
  const { namespace, disk, image, priorityClassName } = args;
  const volumeName = kind.toLowerCase();
  const claim = new DiskClaim(
    `${name}-disk`,
    { namespace, disk, volumeName, claimName: `${CLAIM_TEMPLATE}-${volumeName}-${INSTANCE}-0` },
    { parent },
  );
  new CustomResource(
    `${name}-instance`,
    {
      apiVersion: "monitoring.coreos.com/v1",
      kind,
      metadata: { name: INSTANCE, namespace, labels: labels.all, annotations: OPERATOR_WAIT },
      spec: {
        image,
        imagePullPolicy: "IfNotPresent",
        version: imageVersion(image),
        replicas: 1,
        podMetadata: { labels: labels.all },
        priorityClassName,
        externalUrl,
        enableServiceLinks: false,
        storage: {
          volumeClaimTemplate: {
            metadata: { name: CLAIM_TEMPLATE },
            spec: { accessModes: ["ReadWriteOnce"], storageClassName: "", resources: { requests: CLAIMED } },
          },
        },
        securityContext: runAs(1000, 2000),
        containers: [RELOADER, ...containers],
        ...spec,
      },
    },
    // The operator deletes the pod, so the operator must be deleted after this resource.
    workload(parent, { dependsOn: [operator.deployment, claim, ...dependsOn] }),
  );
}
