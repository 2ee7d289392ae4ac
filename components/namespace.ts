import { Namespace as KubernetesNamespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import { PriorityClass } from "@pulumi/kubernetes/scheduling/v1/priorityClass.js";
import * as pulumi from "@pulumi/pulumi";

/** Arguments of the Namespace component. */
export interface NamespaceArgs {
  /**
   * Node pool. The namespace depends on it, so the namespace is deleted before the nodes. Without nodes the namespace's
   * deletion hangs, because the API server's extensions run on nodes (hashicorp/terraform#20855).
   */
  nodes: pulumi.Resource;
}

/** Name of the namespace of all workloads. */
const NAME = "monitoring";
/** Pod Security level: the API server rejects pods with more privileges. */
const POD_SECURITY = "restricted";
/**
 * Priority of the workloads' pods: above CI jobs in the same cluster (0), far below the system's own classes
 * (2,000,000,000).
 */
const PRIORITY = 1_000_000;

/** Creates the namespace and the priority class of the workloads. */
export class Namespace extends pulumi.ComponentResource {
  /** Name of the namespace. The output resolves after the namespace is created. */
  readonly namespaceName: pulumi.Output<string>;
  /**
   * Name of the pods' priority class. The output resolves after the class is created, so resources that use the name
   * depend on the class.
   */
  readonly priorityClassName: pulumi.Output<string>;

  constructor(name: string, args: NamespaceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:kubernetes:Namespace", name, {}, opts);
    const partOf = { "app.kubernetes.io/part-of": "k8sfv-metrics" };
    const namespace = new KubernetesNamespace(
      `${name}-monitoring`,
      {
        metadata: {
          name: NAME,
          labels: {
            ...partOf,
            "pod-security.kubernetes.io/enforce": POD_SECURITY,
            "pod-security.kubernetes.io/audit": POD_SECURITY,
            "pod-security.kubernetes.io/warn": POD_SECURITY,
          },
        },
      },
      { parent: this, dependsOn: [args.nodes], customTimeouts: { delete: "10m" } },
    );
    const priority = new PriorityClass(
      `${name}-priority`,
      {
        metadata: { name: "k8sfv-monitoring", labels: partOf },
        value: PRIORITY,
        description: "Pods that keep the metrics of nightly runs. On a full cluster, they preempt CI jobs.",
      },
      { parent: this, dependsOn: [args.nodes] },
    );
    this.namespaceName = namespace.metadata.name;
    this.priorityClassName = priority.metadata.name;
    this.registerOutputs({ namespaceName: this.namespaceName, priorityClassName: this.priorityClassName });
  }
}
