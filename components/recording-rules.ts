import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import * as pulumi from "@pulumi/pulumi";
import { recordingGroups } from "../monitoring-mixin/recording-rules.ts";
import type { Operator } from "./operator.ts";

/** Arguments of the RecordingRules component. */
export interface RecordingRulesArgs {
  /** Namespace of Prometheus, which loads only the rules of its own namespace. */
  namespace: pulumi.Input<string>;
  /** Operator whose CRDs a PrometheusRule needs. */
  operator: Operator;
}

/**
 * Creates the recording rules, which store each run and Prometheus's own usage as few samples, so that queries over
 * years are fast.
 */
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
