import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount.js";
import { Role } from "@pulumi/kubernetes/rbac/v1/role.js";
import { RoleBinding } from "@pulumi/kubernetes/rbac/v1/roleBinding.js";
import * as pulumi from "@pulumi/pulumi";
import { WORKLOADS } from "../lib/workloads.ts";
import { ALERTMANAGER_PORT_NAME } from "./alertmanager.ts";
import type { Labels, WorkloadArgs } from "./conventions.ts";
import { workloadLabels, workload } from "./conventions.ts";
import { INSTANCE, managedInstance } from "./managed-instance.ts";
import type { Operator } from "./operator.ts";
import type { EndpointArgs } from "./remote-write.ts";
import { remoteWriteSpec } from "./remote-write.ts";
import { scrape } from "./scrape.ts";
import { internalService } from "./services.ts";

/** Arguments of the Prometheus component. */
export interface PrometheusArgs extends WorkloadArgs {
  /** Operator that creates and deletes the pod. */
  operator: Operator;
  /** Remote-write receiver. @default none */
  remoteWrite?: EndpointArgs;
  /** Long-term store, which keeps the history and which Grafana queries. @default none */
  longTerm?: EndpointArgs;
  /** Days for which Prometheus itself keeps samples. @default five years */
  retentionDays?: number;
}

const { name: SERVICE, port: PORT } = WORKLOADS.prometheus;
const PORT_NAME = "web";
const ACCOUNT = `prometheus-${INSTANCE}`;
/** Five years, as in the previous environment. */
const RETENTION_DAYS = 1825;
/**
 * Change of Prometheus's container: its startup probe runs every second instead of every 15 s, the operator's value.
 * With either value, Prometheus has 15 minutes to start.
 */
const CONTAINER = { name: "prometheus", startupProbe: { periodSeconds: 1, failureThreshold: 900 } };
/**
 * Fraction of the disk that blocks and the write-ahead log may fill. The rest is for compaction, which writes a new
 * block before it deletes the old ones.
 */
const DISK_SHARE = 0.8;

/** Runs one Prometheus that keeps five years of series on a disk, at a reserved address. */
export class Prometheus extends pulumi.ComponentResource {
  /** URL inside the VPC. */
  readonly url: pulumi.Output<string>;
  /** URL inside the cluster. */
  readonly urlInCluster: pulumi.Output<string>;

  constructor(name: string, args: PrometheusArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:kubernetes:Prometheus", name, {}, opts);
    const labels = workloadLabels(SERVICE, "metrics", args.image);
    const { namespace } = args;
    this.url = pulumi.interpolate`http://${args.address}:${PORT}`;

    const discovery = this.allowDiscovery(name, namespace, labels);
    managedInstance(
      name,
      {
        ...args,
        kind: "Prometheus",
        labels,
        externalUrl: this.url,
        spec: { ...instanceSpec(args), remoteWrite: remoteWriteSpec(name, args, this) },
        containers: [CONTAINER],
        dependsOn: [discovery],
      },
      this,
    );
    const service = internalService(
      `${name}-service`,
      {
        serviceName: SERVICE,
        namespace,
        labels,
        selector: { "operator.prometheus.io/name": INSTANCE },
        address: args.address,
        sourceRanges: args.sourceRanges,
        ports: [{ name: PORT_NAME, number: PORT }],
      },
      workload(this),
    );
    scrape(
      `${name}-monitor`,
      { namespace, serviceName: SERVICE, labels, ports: [PORT_NAME], crds: args.operator.crds },
      { parent: this },
    );

    this.urlInCluster = pulumi.interpolate`http://${service.metadata.name}.${namespace}:${PORT}`;
    this.registerOutputs({ url: this.url, urlInCluster: this.urlInCluster });
  }

  /** Allows service discovery in the namespace. */
  private allowDiscovery(name: string, namespace: pulumi.Input<string>, labels: Labels): RoleBinding {
    const metadata = { name: ACCOUNT, namespace, labels: labels.all };
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

/**
 * Returns the size at which Prometheus deletes its oldest blocks, for a disk of `diskGb` GiB, in Prometheus's format
 * (whose "GB" is GiB). Prometheus counts blocks and the write-ahead log (BeyondSizeRetention in its tsdb/db.go).
 */
export function retentionSize(diskGb: number): string {
  return `${Math.floor(diskGb * DISK_SHARE)}GB`;
}

/** Returns the fields of the Prometheus resource's spec, except those of remote write. */
function instanceSpec({ disk, namespace, retentionDays = RETENTION_DAYS }: PrometheusArgs) {
  return {
    serviceAccountName: ACCOUNT,
    automountServiceAccountToken: true, // service discovery uses the Kubernetes API
    serviceDiscoveryRole: "EndpointSlice",
    // Clients must not delete series, write series without the Pushgateway, or stop Prometheus, so these HTTP APIs are
    // disabled. --web.enable-lifecycle would enable stopping together with reloading, so the config reloader sends a
    // signal instead.
    enableAdminAPI: false,
    enableRemoteWriteReceiver: false,
    reloadStrategy: "ProcessSignal",
    scrapeInterval: "10s",
    evaluationInterval: "10s",
    retention: `${retentionDays * 24}h`,
    retentionSize: retentionSize(disk.sizeGb),
    walCompression: true,
    // At shutdown, Prometheus sends pending samples to remote-write receivers for up to 1 minute and closes its
    // database.
    terminationGracePeriodSeconds: 120,
    // An empty selector matches all resources of the namespace.
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
    resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "2Gi" } },
  };
}
