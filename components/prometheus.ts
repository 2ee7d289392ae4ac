import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount.js";
import { Role } from "@pulumi/kubernetes/rbac/v1/role.js";
import { RoleBinding } from "@pulumi/kubernetes/rbac/v1/roleBinding.js";
import * as pulumi from "@pulumi/pulumi";
import { WORKLOADS } from "../workloads.ts";
import { ALERTMANAGER_PORT_NAME } from "./alertmanager.ts";
import type { Labels, WorkloadArgs } from "./conventions.ts";
import { imageVersion, labels, runAs, workload } from "./conventions.ts";
import { CLAIMED, DiskClaim } from "./disk-claim.ts";
import { OPERATOR_WAIT } from "./operator-wait.ts";
import type { Operator } from "./operator.ts";
import type { EndpointArgs } from "./remote-write.ts";
import { remoteWriteSpec } from "./remote-write.ts";
import { scrape } from "./scrape.ts";
import { internalService } from "./services.ts";

/** What Prometheus needs to know. */
export interface PrometheusArgs extends WorkloadArgs {
  /** Who makes and deletes its pods. */
  operator: Operator;
  /** Where it sends everything on to. @default nowhere */
  remoteWrite?: EndpointArgs;
  /** The store that keeps its history and that Grafana reads. @default none */
  longTerm?: EndpointArgs;
  /** Days that it keeps samples itself. @default five years */
  retentionDays?: number;
}

/** Name of the Prometheus resource: the hand-built environment's. */
const INSTANCE = "k8sfv";
const { name: SERVICE, port: PORT } = WORKLOADS.prometheus;
const PORT_NAME = "web";
const ACCOUNT = `prometheus-${INSTANCE}`;
/** The operator's claim template; with the StatefulSet's name it gives the claim's. */
const CLAIM_TEMPLATE = "data";
/** Five years, as the hand-built one had it. */
const RETENTION_DAYS = 1825;
/** Share of the disk for blocks; the rest is for the write-ahead log and compaction. */
const DISK_SHARE = 0.8;

/** One Prometheus that keeps five years of series on a disk, at an address that stays. */
export class Prometheus extends pulumi.ComponentResource {
  /** Its URL for CI and people in the VPC. */
  readonly url: pulumi.Output<string>;
  /** Its URL inside the cluster. */
  readonly urlInCluster: pulumi.Output<string>;

  constructor(name: string, args: PrometheusArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:kubernetes:Prometheus", name, {}, opts);
    const tags = labels(SERVICE, "metrics", args.image);
    const { namespace, disk } = args;
    this.url = pulumi.interpolate`http://${args.address}:${PORT}`;

    const claim = new DiskClaim(
      `${name}-disk`,
      {
        namespace,
        disk,
        volumeName: "prometheus",
        claimName: `${CLAIM_TEMPLATE}-prometheus-${INSTANCE}-0`,
      },
      { parent: this },
    );
    const discovery = this.allowDiscovery(name, namespace, tags);
    const prometheus = new CustomResource(
      `${name}-instance`,
      {
        apiVersion: "monitoring.coreos.com/v1",
        kind: "Prometheus",
        metadata: {
          name: INSTANCE,
          namespace,
          labels: tags.all,
          annotations: OPERATOR_WAIT,
        },
        spec: {
          ...instanceSpec(args, tags, this.url),
          remoteWrite: remoteWriteSpec(name, args, this),
        },
      },
      // The operator has to outlive it: who else would take its pods away?
      workload(this, { dependsOn: [args.operator.deployment, claim, discovery] }),
    );
    const service = internalService(
      `${name}-service`,
      {
        serviceName: SERVICE,
        namespace,
        labels: tags,
        selector: { "operator.prometheus.io/name": INSTANCE },
        address: args.address,
        sourceRanges: args.sourceRanges,
        port: { name: PORT_NAME, number: PORT },
      },
      workload(this, { dependsOn: [prometheus] }),
    );
    scrape(
      `${name}-monitor`,
      { namespace, serviceName: SERVICE, labels: tags, port: PORT_NAME, crds: args.operator.crds },
      { parent: this },
    );

    this.urlInCluster = pulumi.interpolate`http://${service.metadata.name}.${namespace}:${PORT}`;
    this.registerOutputs({ url: this.url, urlInCluster: this.urlInCluster });
  }

  /** Lets it find what to scrape, in its own namespace. */
  private allowDiscovery(name: string, namespace: pulumi.Input<string>, tags: Labels): RoleBinding {
    const metadata = { name: ACCOUNT, namespace, labels: tags.all };
    const account = new ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      { parent: this },
    );
    const verbs = ["get", "list", "watch"];
    const role = new Role(
      `${name}-role`,
      {
        metadata,
        rules: [
          { apiGroups: [""], resources: ["services", "endpoints", "pods"], verbs },
          { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs },
        ],
      },
      { parent: this },
    );
    return new RoleBinding(
      `${name}-role-binding`,
      {
        metadata,
        subjects: [{ kind: "ServiceAccount", name: account.metadata.name, namespace }],
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: role.metadata.name },
      },
      { parent: this },
    );
  }
}

/** The share of a disk that blocks may take, as Prometheus writes sizes (its GB are GiB). */
export function retentionSize(diskGb: number): string {
  return `${Math.floor(diskGb * DISK_SHARE)}GB`;
}

function instanceSpec(
  { image, disk, namespace, priorityClassName, retentionDays = RETENTION_DAYS }: PrometheusArgs,
  tags: Labels,
  externalUrl: pulumi.Input<string>,
) {
  return {
    image,
    imagePullPolicy: "IfNotPresent",
    version: imageVersion(image),
    replicas: 1,
    podMetadata: { labels: tags.all },
    priorityClassName,
    externalUrl,
    serviceAccountName: ACCOUNT,
    automountServiceAccountToken: true, // it finds its targets by asking the API
    enableServiceLinks: false,
    serviceDiscoveryRole: "EndpointSlice",
    // Neither an API to delete series with, nor one to write them past the push gateway; and since the
    // sidecar reloads by a signal, none to stop it by HTTP (that one would come with reloading by HTTP).
    enableAdminAPI: false,
    enableRemoteWriteReceiver: false,
    reloadStrategy: "ProcessSignal",
    scrapeInterval: "10s",
    evaluationInterval: "10s",
    retention: `${retentionDays * 24}h`,
    retentionSize: retentionSize(disk.sizeGb),
    walCompression: true,
    // It has to write out what it holds in memory.
    terminationGracePeriodSeconds: 120,
    // Empty: all of this namespace.
    serviceMonitorSelector: {},
    podMonitorSelector: {},
    probeSelector: {},
    scrapeConfigSelector: {},
    ruleSelector: {},
    alerting: {
      alertmanagers: [
        { namespace, name: WORKLOADS.alertmanager.name, port: ALERTMANAGER_PORT_NAME, apiVersion: "v2" },
      ],
    },
    storage: {
      volumeClaimTemplate: {
        metadata: { name: CLAIM_TEMPLATE },
        spec: {
          accessModes: ["ReadWriteOnce"],
          storageClassName: "",
          resources: { requests: CLAIMED },
        },
      },
    },
    resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "2Gi" } },
    securityContext: runAs(1000, 2000),
  };
}
