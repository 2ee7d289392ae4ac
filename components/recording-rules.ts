import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import * as pulumi from "@pulumi/pulumi";
import { recordingGroups } from "../monitoring-mixin/recording-rules.ts";
import type { Operator } from "./operator.ts";

/** What the recording rules need to know. */
export interface RecordingRulesArgs {
  /** The namespace of Prometheus: it takes the rules of its own. */
  namespace: pulumi.Input<string>;
  /** Whose resource definitions a PrometheusRule needs. */
  operator: Operator;
}

/** What Prometheus keeps of each run and of its own work, so that nobody has to read years of scrapes. */
export class RecordingRules extends pulumi.ComponentResource {
  constructor(name: string, args: RecordingRulesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:kubernetes:RecordingRules", name, {}, opts);
    new CustomResource(
      `${name}-rules`,
      {
        apiVersion: "monitoring.coreos.com/v1",
        kind: "PrometheusRule",
        metadata: {
          name: "k8sfv",
          namespace: args.namespace,
          labels: { "app.kubernetes.io/part-of": "k8sfv-metrics", "app.kubernetes.io/managed-by": "pulumi" },
        },
        spec: { groups: recordingGroups() },
      },
      { parent: this, dependsOn: [args.operator.crds] },
    );
    this.registerOutputs({});
  }
}
