import type { ComponentResource, CustomResourceOptions, Input } from "@pulumi/pulumi";
import type { DiskRef } from "./disks.ts";

/** What every workload with a disk and a reserved address needs to know. */
export interface WorkloadArgs {
  /** The namespace it lives in. */
  namespace: Input<string>;
  /** Its priority class. */
  priorityClassName: Input<string>;
  /** Its image, with a tag. */
  image: string;
  /** Where its data lies. */
  disk: DiskRef;
  /** Its reserved address. */
  address: Input<string>;
  /** IPv4 ranges that may connect from outside the cluster. */
  sourceRanges: string[];
}

/** The labels that everything of a workload carries; the selector is the part that never changes. */
export interface Labels {
  /** On every object. */
  all: Record<string, string>;
  /** What selects the pods; never changes. */
  selector: Record<string, string>;
}

/**
 * The usual labels (kubernetes.io/docs/concepts/overview/working-with-objects/common-labels).
 *
 * @param name - of the workload, e.g. "grafana"
 * @param component - its part in the whole, e.g. "dashboards"
 * @param image - whose tag is the version; left out of the selector, which can't be changed later
 */
export function labels(name: string, component: string, image: string): Labels {
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

/** The tag of an image: "quay.io/prometheus/prometheus:v3.16.0" → "v3.16.0"; undefined if it is named by digest alone. */
export function imageVersion(image: string): string | undefined {
  return /:([A-Za-z0-9_][A-Za-z0-9._-]*)$/.exec(image.replace(/@.*$/, ""))?.[1];
}

/** What a container may do: nothing but its work. The pod adds who it runs as. */
export const RESTRICTED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
};

/**
 * Who a pod runs as.
 *
 * @param user - its user
 * @param group - its group, also the one that owns its volumes; by default of the same number
 */
export function runAs(user: number, group = user) {
  return {
    runAsNonRoot: true,
    runAsUser: user,
    runAsGroup: group,
    fsGroup: group,
    // A disk of five years isn't walked through at every start.
    fsGroupChangePolicy: "OnRootMismatch",
    seccompProfile: { type: "RuntimeDefault" },
  };
}

/** How long the engine waits for something that pulls images or needs nodes, before it says what is wrong. */
export const WORKLOAD_TIMEOUTS = { create: "10m", update: "10m", delete: "5m" };

/** Options of a child that has to wait for its pods. */
export function workload(parent: ComponentResource, more: CustomResourceOptions = {}): CustomResourceOptions {
  return { parent, customTimeouts: WORKLOAD_TIMEOUTS, ...more };
}
