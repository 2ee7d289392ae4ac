import { Namespace as KubernetesNamespace } from "@pulumi/kubernetes/core/v1/namespace.js";
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

/** The namespace of the workloads. */
export class Namespace extends pulumi.ComponentResource {
  /** Its name, once it is there. */
  readonly namespaceName: pulumi.Output<string>;

  constructor(name: string, args: NamespaceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:kubernetes:Namespace", name, {}, opts);
    const namespace = new KubernetesNamespace(
      `${name}-monitoring`,
      { metadata: { name: NAME, labels: { "app.kubernetes.io/part-of": "k8sfv-metrics" } } },
      { parent: this, dependsOn: [args.nodes], customTimeouts: { delete: "10m" } },
    );
    this.namespaceName = namespace.metadata.name;
    this.registerOutputs({ namespaceName: this.namespaceName });
  }
}
