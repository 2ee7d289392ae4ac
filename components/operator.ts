import { createHash } from "node:crypto";
import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment.js";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount.js";
import { ClusterRole } from "@pulumi/kubernetes/rbac/v1/clusterRole.js";
import { ClusterRoleBinding } from "@pulumi/kubernetes/rbac/v1/clusterRoleBinding.js";
import { Role } from "@pulumi/kubernetes/rbac/v1/role.js";
import { RoleBinding } from "@pulumi/kubernetes/rbac/v1/roleBinding.js";
import { ConfigGroup } from "@pulumi/kubernetes/yaml/v2/configGroup.js";
import * as pulumi from "@pulumi/pulumi";
import { WORKLOADS } from "../workloads.ts";
import type { Labels } from "./conventions.ts";
import { labels, RESTRICTED, runAs, workload } from "./conventions.ts";
import { scrape } from "./scrape.ts";
import { headlessService } from "./services.ts";

/** What the operator needs to know. */
export interface OperatorArgs {
  /** The namespace it runs in and looks after; no other. */
  namespace: pulumi.Input<string>;
  /** Its priority class. */
  priorityClassName: pulumi.Input<string>;
  /** Its resource definitions, as YAML. */
  crds: string;
  /** The operator's image. */
  image: string;
  /** Image of the sidecar it adds to Prometheus. */
  configReloaderImage: string;
}

const { name: NAME, port: PORT } = WORKLOADS.operator;
const PORT_NAME = "http";
/** Annotation of its pods. */
const CRDS_HASH = "k8sfv-metrics/crds-sha256";
/** The API group of its resources. */
const GROUP = "monitoring.coreos.com";

/** The Prometheus Operator: it turns a Prometheus resource into pods, and ServiceMonitors into scrapes. */
export class Operator extends pulumi.ComponentResource {
  /** The resource definitions; a ServiceMonitor needs only these. */
  readonly crds: ConfigGroup;
  /** The operator itself; what it has to create and delete depends on this. */
  readonly deployment: Deployment;

  constructor(name: string, args: OperatorArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:kubernetes:Operator", name, {}, opts);
    const tags = labels(NAME, "controller", args.image);

    this.crds = new ConfigGroup(`${name}-crds`, { yaml: args.crds }, { parent: this });
    const account = new ServiceAccount(
      `${name}-account`,
      {
        metadata: { name: NAME, namespace: args.namespace, labels: tags.all },
        automountServiceAccountToken: false,
      },
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
          template: {
            metadata: { labels: tags.all, annotations: { [CRDS_HASH]: hash(args.crds) } },
            spec: podSpec(args, account.metadata.name),
          },
        },
      },
      // It looks for its CRDs once, when it starts: so it restarts when they change (CRDS_HASH).
      workload(this, { dependsOn: [this.crds, ...grants] }),
    );
    this.beScraped(name, args.namespace, tags);
    this.registerOutputs({});
  }

  /** A Service for the one who scrapes; it has no address of its own. */
  private beScraped(name: string, namespace: pulumi.Input<string>, tags: Labels): void {
    const service = headlessService(
      `${name}-service`,
      { serviceName: NAME, namespace, labels: tags, port: { name: PORT_NAME, number: PORT } },
      { parent: this, dependsOn: [this.deployment] },
    );
    scrape(
      `${name}-monitor`,
      { namespace, serviceName: NAME, labels: tags, port: PORT_NAME, crds: this.crds },
      { parent: this, dependsOn: [this.crds, service] },
    );
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
      { metadata: { name: NAME, labels: tags.all }, rules: clusterRules(namespace) },
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

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function roleRef(kind: "Role" | "ClusterRole", name: pulumi.Input<string>) {
  return { apiGroup: "rbac.authorization.k8s.io", kind, name };
}

const READ = ["get", "list", "watch"];

/**
 * What it does in its own namespace: upstream's rules (example/rbac/prometheus-operator) without what is not
 * used here, and with its verbs (pkg/prometheus/server/operator.go, pkg/k8sutil) in the place of "*".
 */
const NAMESPACE_RULES = [
  { apiGroups: [GROUP], resources: ["prometheuses", "alertmanagers"], verbs: [...READ, "update", "patch"] },
  {
    apiGroups: [GROUP],
    resources: ["prometheuses", "alertmanagers"].flatMap((kind) => [`${kind}/status`, `${kind}/finalizers`]),
    verbs: ["update", "patch"],
  },
  {
    apiGroups: [GROUP],
    resources: [
      "servicemonitors",
      "podmonitors",
      "probes",
      "prometheusrules",
      "alertmanagerconfigs",
      "scrapeconfigs",
    ],
    verbs: READ,
  },
  { apiGroups: ["apps"], resources: ["statefulsets"], verbs: [...READ, "create", "update", "delete"] },
  { apiGroups: [""], resources: ["configmaps", "secrets"], verbs: [...READ, "create", "update", "delete"] },
  { apiGroups: [""], resources: ["pods"], verbs: ["list", "delete"] },
  { apiGroups: [""], resources: ["services"], verbs: ["get", "create", "update", "delete"] },
];

/** What it asks the whole cluster for: its own namespace's labels, and where to put events. */
function clusterRules(namespace: pulumi.Input<string>) {
  return [
    { apiGroups: [""], resources: ["namespaces"], resourceNames: [namespace], verbs: READ },
    { apiGroups: ["", "events.k8s.io"], resources: ["events"], verbs: ["create", "patch"] },
  ];
}

function podSpec(args: OperatorArgs, serviceAccountName: pulumi.Input<string>) {
  return {
    serviceAccountName,
    automountServiceAccountToken: true, // it works by asking the API
    priorityClassName: args.priorityClassName,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 30,
    securityContext: runAs(65534),
    containers: [
      {
        name: NAME,
        image: args.image,
        imagePullPolicy: "IfNotPresent",
        args: [
          pulumi.interpolate`--namespaces=${args.namespace}`,
          `--prometheus-config-reloader=${args.configReloaderImage}`,
          ...Object.entries(RELOADER_RESOURCES).map(
            ([what, amount]) => `--config-reloader-${what}=${amount}`,
          ),
          "--enable-config-reloader-probes",
          "--kubelet-endpoints=false",
          "--disable-unmanaged-prometheus-configuration",
        ],
        env: [{ name: "GOGC", value: "30" }],
        ports: [{ name: PORT_NAME, containerPort: PORT }],
        readinessProbe: { httpGet: { path: "/healthz", port: PORT_NAME }, periodSeconds: 5 },
        livenessProbe: {
          httpGet: { path: "/healthz", port: PORT_NAME },
          periodSeconds: 30,
          failureThreshold: 5,
        },
        resources: {
          requests: { cpu: "20m", memory: "96Mi" },
          limits: { memory: "256Mi" },
        },
        securityContext: RESTRICTED,
      },
    ],
  };
}

/** Of the sidecar, by the operator's flags. A limit of its CPU would only make a reload slow: none ("0"). */
const RELOADER_RESOURCES = {
  "cpu-request": "5m",
  "cpu-limit": "0",
  "memory-request": "32Mi",
  "memory-limit": "64Mi",
};
