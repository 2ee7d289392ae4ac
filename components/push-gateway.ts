import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment.js";
import * as pulumi from "@pulumi/pulumi";
import { labels, RESTRICTED, runAs, workload } from "./conventions.ts";
import { DiskClaim } from "./disk-claim.ts";
import type { DiskRef } from "./disks.ts";
import { internalService } from "./internal-service.ts";
import type { Operator } from "./operator.ts";

/** What the push gateway needs to know. */
export interface PushGatewayArgs {
  /** The namespace it lives in. */
  namespace: pulumi.Input<string>;
  /** Its image, with a tag. */
  image: string;
  /** Where its data lies. */
  disk: DiskRef;
  /** Its reserved address. */
  address: pulumi.Input<string>;
  /** IPv4 ranges that may push from outside the cluster. */
  sourceRanges: string[];
  /** Whose resource definitions the ServiceMonitor needs. */
  operator: Operator;
}

/** What people and dashboards know it by: the hand-built environment's name. */
const NAME = "prom-gateway";
const PORT = 9091;
/** A ServiceMonitor selects a Service's port by this name; it is part of the contract. */
const PORT_NAME = "metrics";
const DATA = "/data";

/** The push gateway that CI pushes to; what was pushed last survives its pod. */
export class PushGateway extends pulumi.ComponentResource {
  /** Its URL for CI machines in the VPC. */
  readonly url: pulumi.Output<string>;
  /** Its URL for jobs inside the cluster. */
  readonly urlInCluster: pulumi.Output<string>;

  constructor(name: string, args: PushGatewayArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:kubernetes:PushGateway", name, {}, opts);
    const tags = labels(NAME, "push-gateway", args.image);
    const { namespace } = args;

    const claim = new DiskClaim(
      `${name}-disk`,
      { namespace, disk: args.disk, volumeName: NAME, claimName: NAME },
      { parent: this },
    );
    const deployment = new Deployment(
      `${name}-deployment`,
      {
        metadata: { name: NAME, namespace, labels: tags.all },
        spec: {
          replicas: 1,
          // Two pods can't have one disk: a rolling update would wait for ever (grafana/helm-charts#146).
          strategy: { type: "Recreate" },
          selector: { matchLabels: tags.selector },
          template: { metadata: { labels: tags.all }, spec: podSpec(args.image, claim.claimName) },
        },
      },
      workload(this),
    );
    const service = internalService(
      `${name}-service`,
      {
        serviceName: NAME,
        namespace,
        labels: tags.all,
        selector: tags.selector,
        address: args.address,
        sourceRanges: args.sourceRanges,
        port: { name: PORT_NAME, number: PORT },
      },
      workload(this, { dependsOn: [deployment] }),
    );
    new CustomResource(
      `${name}-monitor`,
      {
        apiVersion: "monitoring.coreos.com/v1",
        kind: "ServiceMonitor",
        metadata: { name: NAME, namespace, labels: tags.all },
        spec: { selector: { matchLabels: tags.selector }, endpoints: [ENDPOINT] },
      },
      { parent: this, dependsOn: [args.operator.crds] },
    );

    this.url = pulumi.interpolate`http://${args.address}:${PORT}`;
    this.urlInCluster = pulumi.interpolate`http://${service.metadata.name}.${namespace}:${PORT}`;
    this.registerOutputs({ url: this.url, urlInCluster: this.urlInCluster });
  }
}

/**
 * The scrape. `honorLabels` keeps the pushed `job`. The labels that a scrape adds say which pod the gateway
 * ran in: with them a series of five years would be another one each time the pod is. They are taken off
 * the target, not off what was pushed; `instance` can't be taken off (Prometheus would fill in the pod's
 * address), so it gets a value that stays, and pushed series, which carry an empty one, don't take it.
 */
const ENDPOINT = {
  port: PORT_NAME,
  honorLabels: true,
  relabelings: [
    { action: "labeldrop", regex: "pod|container|endpoint|namespace|service" },
    { action: "replace", targetLabel: "instance", replacement: NAME },
  ],
};

function podSpec(image: string, claimName: pulumi.Input<string>) {
  return {
    automountServiceAccountToken: false,
    securityContext: runAs(65534),
    containers: [
      {
        name: NAME,
        image,
        imagePullPolicy: "IfNotPresent",
        // A volume alone saves nothing: the file has to be named (helm-charts#5392). Written only when
        // something was pushed, so seconds cost nothing, and a crash loses seconds and not minutes.
        args: [`--persistence.file=${DATA}/metrics`, "--persistence.interval=10s"],
        ports: [{ name: PORT_NAME, containerPort: PORT }],
        readinessProbe: { httpGet: { path: "/-/ready", port: PORT_NAME }, periodSeconds: 5 },
        livenessProbe: { httpGet: { path: "/-/healthy", port: PORT_NAME }, periodSeconds: 30 },
        resources: { requests: { cpu: "20m", memory: "32Mi" }, limits: { memory: "256Mi" } },
        securityContext: RESTRICTED,
        volumeMounts: [{ name: "data", mountPath: DATA }],
      },
    ],
    volumes: [{ name: "data", persistentVolumeClaim: { claimName } }],
  };
}
