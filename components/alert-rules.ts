import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import * as pulumi from "@pulumi/pulumi";
import { alertGroups } from "../monitoring-mixin/alerts/index.ts";
import type { AlertThresholds } from "../monitoring-mixin/thresholds.ts";
import type { Operator } from "./operator.ts";

/** Arguments of the AlertRules component. */
export interface AlertRulesArgs {
  /** Namespace of Prometheus, which loads only the rules of its own namespace. */
  namespace: pulumi.Input<string>;
  /** The operator whose CRDs a PrometheusRule needs. */
  operator: Operator;
  /** Thresholds of the alerts. */
  thresholds: AlertThresholds;
  /** URL of the page with a section for each alert. */
  runbookUrl: string;
  /** Grafana's URL inside the VPC, for links in alerts. */
  grafanaUrl: pulumi.Input<string>;
}

/** Creates the alert rules that Prometheus evaluates. */
export class AlertRules extends pulumi.ComponentResource {
  constructor(name: string, args: AlertRulesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:kubernetes:AlertRules", name, {}, opts);
    const { namespace, thresholds, runbookUrl, grafanaUrl } = args;
    const groups = alertGroups({
      thresholds,
      runbookUrl,
      grafanaLink: (path) => pulumi.interpolate`${grafanaUrl}${path}`,
    });
    new CustomResource(
      `${name}-rules`,
      {
        apiVersion: "monitoring.coreos.com/v1",
        kind: "PrometheusRule",
        metadata: {
          name: "k8sfv-alerts",
          namespace,
          labels: { "app.kubernetes.io/part-of": "k8sfv-metrics", "app.kubernetes.io/managed-by": "pulumi" },
        },
        spec: { groups },
      },
      { parent: this, dependsOn: [args.operator.crds] },
    );
    this.registerOutputs({});
  }
}
