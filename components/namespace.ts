import { Namespace as KubernetesNamespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import { PriorityClass } from "@pulumi/kubernetes/scheduling/v1/priorityClass.js";
import * as pulumi from "@pulumi/pulumi";

/** What the namespace needs to know. */
export interface NamespaceArgs {
  /**
   * The nodes. A namespace that is deleted after them hangs, since the API's own extensions ran on them
   * (hashicorp/terraform#20855); so it is made after them, and all that it holds too.
   */
  nodes: pulumi.Resource;
}

/** Where everything of this project runs. */
const NAME = "monitoring";
/** The API server's own check of pods: whatever asks for more than it needs is refused. */
const POD_SECURITY = "restricted";
/** Above jobs of CI in the same cluster (0), far below the cluster's own (2,000,000,000). */
const PRIORITY = 1_000_000;

/** The namespace of the workloads, and their priority. */
export class Namespace extends pulumi.ComponentResource {
  /** Its name, once it is there. */
  readonly namespaceName: pulumi.Output<string>;
  /** The priority class of its pods, once it is there. */
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
        description: "Metrics of nightly runs: kept on a full cluster, where a job of CI would wait.",
      },
      { parent: this, dependsOn: [args.nodes] },
    );
    this.namespaceName = namespace.metadata.name;
    this.priorityClassName = priority.metadata.name;
    this.registerOutputs({ namespaceName: this.namespaceName, priorityClassName: this.priorityClassName });
  }
}
