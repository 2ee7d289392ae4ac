import type { ComponentResource, CustomResourceOptions, Input } from "@pulumi/pulumi";
import type { DiskRef } from "./disks.ts";

/** Arguments that all workloads with a disk and a reserved address have. */
export interface WorkloadArgs {
  /** Namespace of the workload. */
  namespace: Input<string>;
  /** Name of the pods' priority class. */
  priorityClassName: Input<string>;
  /** Image with a tag. */
  image: string;
  /** Disk that stores the workload's data. */
  disk: DiskRef;
  /** Reserved internal address of the workload's Service. */
  address: Input<string>;
  /** IPv4 ranges that may connect from outside the cluster. */
  sourceRanges: string[];
}

/** Labels of a workload's objects. */
export interface Labels {
  /** Labels of each object. */
  all: Record<string, string>;
  /** The labels that select the pods. They can't be changed later. */
  selector: Record<string, string>;
}

/**
 * Returns the recommended labels (kubernetes.io/docs/concepts/overview/working-with-objects/common-labels).
 *
 * @param name - name of the workload, e.g. "grafana"
 * @param component - role of the workload in the environment, e.g. "dashboards"
 * @param image - image whose tag becomes the label `version`. The selector omits this label, because a selector can't
 * be changed later
 */
export function workloadLabels(name: string, component: string, image: string): Labels {
  const version = imageVersion(image);
  const selector = { "app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "k8sfv-metrics" };
  return {
    selector,
    all: {
      ...selector,
      "app.kubernetes.io/component": component,
      ...(version === undefined ? {} : { "app.kubernetes.io/version": version }),
      "app.kubernetes.io/managed-by": "pulumi",
    },
  };
}

/** Returns the tag of an image: "v3.16.0" of "quay.io/prometheus/prometheus:v3.16.0"; undefined without a tag. */
export function imageVersion(image: string): string | undefined {
  return /:([A-Za-z0-9_][A-Za-z0-9._-]*)$/.exec(image.replace(/@.*$/, ""))?.[1];
}

/** Container security context of Pod Security level `restricted`. The pod's own context (`runAs`) sets the user. */
export const RESTRICTED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
};

/**
 * Returns the pod security context for a user.
 *
 * @param user - user ID of the processes
 * @param group - group ID of the processes and volumes. Default: the same number as the user ID
 */
export function runAs(user: number, group = user) {
  return {
    runAsNonRoot: true,
    runAsUser: user,
    runAsGroup: group,
    fsGroup: group,
    // With the default, "Always", each start would change the group of every file on the disk.
    fsGroupChangePolicy: "OnRootMismatch",
    seccompProfile: { type: "RuntimeDefault" },
  };
}

/**
 * Returns the spec of a Deployment with one pod. An update deletes the old pod first, because two pods can't use one
 * disk: a rolling update would never finish (grafana/helm-charts#146).
 */
export function onePod<Spec>(labels: Labels, podSpec: Spec) {
  return {
    replicas: 1,
    strategy: { type: "Recreate" },
    selector: { matchLabels: labels.selector },
    template: { metadata: { labels: labels.all }, spec: podSpec },
  };
}

/** Timeouts of resources whose pods must be scheduled and pull images. */
export const WORKLOAD_TIMEOUTS = { create: "10m", update: "10m", delete: "5m" };

/** Returns the options of a child resource whose pods the engine waits for. */
export function workload(parent: ComponentResource, more: CustomResourceOptions = {}): CustomResourceOptions {
  return { parent, customTimeouts: WORKLOAD_TIMEOUTS, ...more };
}
