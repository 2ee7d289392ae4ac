import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount.js";
import { Role } from "@pulumi/kubernetes/rbac/v1/role.js";
import { RoleBinding } from "@pulumi/kubernetes/rbac/v1/roleBinding.js";
import * as pulumi from "@pulumi/pulumi";
import type { Labels } from "./conventions.ts";
import { imageVersion, labels, workload } from "./conventions.ts";
import { CLAIMED, DiskClaim } from "./disk-claim.ts";
import type { DiskRef } from "./disks.ts";
import { internalService } from "./internal-service.ts";
import type { Operator } from "./operator.ts";

/** What Prometheus needs to know. */
export interface PrometheusArgs {
  /** The namespace it lives in. */
  namespace: pulumi.Input<string>;
  /** Its image, with a tag. */
  image: string;
  /** Where its data lies. */
  disk: DiskRef;
  /** Its reserved address. */
  address: pulumi.Input<string>;
  /** IPv4 ranges that may read from outside the cluster. */
  sourceRanges: string[];
  /** Who makes and deletes its pods. */
  operator: Operator;
}

/** Name of the Prometheus resource: the hand-built environment's. */
const INSTANCE = "k8sfv";
const SERVICE = "prometheus";
const PORT = 9090;
const ACCOUNT = `prometheus-${INSTANCE}`;
/** The operator's claim template; with the StatefulSet's name it gives the claim's. */
const CLAIM_TEMPLATE = "data";
/** Five years, as the hand-built one had it. */
const RETENTION = "43800h";
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
    const tags = labels("prometheus", "metrics", args.image);
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
          annotations: { "pulumi.com/waitFor": "condition=Available" },
        },
        spec: instanceSpec(args.image, disk.sizeGb, this.url),
      },
      // The operator has to outlive it: who else would take its pods away?
      workload(this, { dependsOn: [args.operator.deployment, claim, discovery] }),
    );
    const service = internalService(
      `${name}-service`,
      {
        serviceName: SERVICE,
        namespace,
        labels: tags.all,
        selector: { "operator.prometheus.io/name": INSTANCE },
        address: args.address,
        sourceRanges: args.sourceRanges,
        port: { name: "web", number: PORT },
      },
      workload(this, { dependsOn: [prometheus] }),
    );

    this.urlInCluster = pulumi.interpolate`http://${service.metadata.name}.${namespace}:${PORT}`;
    this.registerOutputs({ url: this.url, urlInCluster: this.urlInCluster });
  }

  /** Lets it find what to scrape, in its own namespace. */
  private allowDiscovery(name: string, namespace: pulumi.Input<string>, tags: Labels): RoleBinding {
    const metadata = { name: ACCOUNT, namespace, labels: tags.all };
    const account = new ServiceAccount(`${name}-account`, { metadata }, { parent: this });
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

function instanceSpec(image: string, diskGb: number, externalUrl: pulumi.Input<string>) {
  return {
    image,
    imagePullPolicy: "IfNotPresent",
    version: imageVersion(image),
    replicas: 1,
    externalUrl,
    serviceAccountName: ACCOUNT,
    serviceDiscoveryRole: "EndpointSlice",
    scrapeInterval: "10s",
    evaluationInterval: "10s",
    retention: RETENTION,
    retentionSize: retentionSize(diskGb),
    // Empty: all of this namespace.
    serviceMonitorSelector: {},
    podMonitorSelector: {},
    probeSelector: {},
    ruleSelector: {},
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
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 1000,
      runAsGroup: 2000,
      fsGroup: 2000,
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    },
  };
}
