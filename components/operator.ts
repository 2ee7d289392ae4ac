import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment.js";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount.js";
import { ClusterRole } from "@pulumi/kubernetes/rbac/v1/clusterRole.js";
import { ClusterRoleBinding } from "@pulumi/kubernetes/rbac/v1/clusterRoleBinding.js";
import { Role } from "@pulumi/kubernetes/rbac/v1/role.js";
import { RoleBinding } from "@pulumi/kubernetes/rbac/v1/roleBinding.js";
import { ConfigGroup } from "@pulumi/kubernetes/yaml/v2/configGroup.js";
import * as pulumi from "@pulumi/pulumi";
import type { Labels } from "./conventions.ts";
import { labels, RESTRICTED, runAs, workload } from "./conventions.ts";
import { readCrds } from "./operator-crds.ts";

/** What the operator needs to know. */
export interface OperatorArgs {
  /** The namespace it runs in and looks after; no other. */
  namespace: pulumi.Input<string>;
  /** Folder of its resource definitions: an https:// URL or a path. */
  crds: string;
  /** The operator's image. */
  image: string;
  /** Image of the sidecar it adds to Prometheus. */
  configReloaderImage: string;
}

const NAME = "prometheus-operator";

/** The Prometheus Operator: it turns a Prometheus resource into pods, and ServiceMonitors into scrapes. */
export class Operator extends pulumi.ComponentResource {
  /** The resource definitions; a ServiceMonitor needs only these. */
  readonly crds: ConfigGroup;
  /** The operator itself; what it has to create and delete depends on this. */
  readonly deployment: Deployment;

  constructor(name: string, args: OperatorArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:kubernetes:Operator", name, {}, opts);
    const tags = labels(NAME, "controller", args.image);

    this.crds = new ConfigGroup(
      `${name}-crds`,
      { yaml: pulumi.output(readCrds(args.crds)) },
      { parent: this },
    );
    const account = new ServiceAccount(
      `${name}-account`,
      { metadata: { name: NAME, namespace: args.namespace, labels: tags.all } },
      { parent: this },
    );
    const grants = this.grant(name, args.namespace, tags, account);
    this.deployment = new Deployment(
      `${name}-deployment`,
      {
        metadata: { name: NAME, namespace: args.namespace, labels: tags.all },
        spec: {
          replicas: 1,
          selector: { matchLabels: tags.selector },
          template: { metadata: { labels: tags.all }, spec: podSpec(args, account.metadata.name) },
        },
      },
      // It looks for its definitions once, when it starts.
      workload(this, { dependsOn: [this.crds, ...grants] }),
    );
    this.registerOutputs({});
  }

  private grant(
    name: string,
    namespace: pulumi.Input<string>,
    tags: Labels,
    account: ServiceAccount,
  ): pulumi.Resource[] {
    const subjects = [{ kind: "ServiceAccount", name: account.metadata.name, namespace }];
    const metadata = { name: NAME, namespace, labels: tags.all };
    const role = new Role(`${name}-role`, { metadata, rules: NAMESPACE_RULES }, { parent: this });
    const clusterRole = new ClusterRole(
      `${name}-cluster-role`,
      { metadata: { name: NAME, labels: tags.all }, rules: CLUSTER_RULES },
      { parent: this },
    );
    return [
      new RoleBinding(
        `${name}-role-binding`,
        { metadata, subjects, roleRef: roleRef("Role", role.metadata.name) },
        { parent: this },
      ),
      new ClusterRoleBinding(
        `${name}-cluster-role-binding`,
        {
          metadata: { name: NAME, labels: tags.all },
          subjects,
          roleRef: roleRef("ClusterRole", clusterRole.metadata.name),
        },
        { parent: this },
      ),
    ];
  }
}

function roleRef(kind: "Role" | "ClusterRole", name: pulumi.Input<string>) {
  return { apiGroup: "rbac.authorization.k8s.io", kind, name };
}

/** Upstream's rules (example/rbac/prometheus-operator), as far as they concern its own namespace. */
const NAMESPACE_RULES = [
  {
    apiGroups: ["monitoring.coreos.com"],
    resources: [
      "prometheuses",
      "prometheuses/finalizers",
      "prometheuses/status",
      "servicemonitors",
      "servicemonitors/status",
      "podmonitors",
      "podmonitors/status",
      "probes",
      "probes/status",
      "prometheusrules",
      "prometheusrules/status",
    ],
    verbs: ["*"],
  },
  { apiGroups: ["apps"], resources: ["statefulsets"], verbs: ["*"] },
  { apiGroups: [""], resources: ["configmaps", "secrets"], verbs: ["*"] },
  { apiGroups: [""], resources: ["pods"], verbs: ["list", "delete"] },
  {
    apiGroups: [""],
    resources: ["services", "services/finalizers", "endpoints"],
    verbs: ["get", "create", "update", "delete"],
  },
];

/** What it asks the whole cluster for: the namespaces' names, a class of storage, and where to put events. */
const CLUSTER_RULES = [
  { apiGroups: [""], resources: ["namespaces"], verbs: ["get", "list", "watch"] },
  { apiGroups: ["storage.k8s.io"], resources: ["storageclasses"], verbs: ["get"] },
  { apiGroups: ["", "events.k8s.io"], resources: ["events"], verbs: ["create", "patch"] },
];

function podSpec(args: OperatorArgs, serviceAccountName: pulumi.Input<string>) {
  return {
    serviceAccountName,
    securityContext: runAs(65534),
    containers: [
      {
        name: NAME,
        image: args.image,
        imagePullPolicy: "IfNotPresent",
        args: [
          pulumi.interpolate`--namespaces=${args.namespace}`,
          `--prometheus-config-reloader=${args.configReloaderImage}`,
          "--kubelet-endpoints=false",
          "--disable-unmanaged-prometheus-configuration",
        ],
        env: [{ name: "GOGC", value: "30" }],
        ports: [{ name: "http", containerPort: 8080 }],
        readinessProbe: { httpGet: { path: "/healthz", port: "http" }, periodSeconds: 5 },
        livenessProbe: {
          httpGet: { path: "/healthz", port: "http" },
          periodSeconds: 30,
          failureThreshold: 5,
        },
        resources: {
          requests: { cpu: "50m", memory: "64Mi" },
          limits: { memory: "256Mi" },
        },
        securityContext: RESTRICTED,
      },
    ],
  };
}
