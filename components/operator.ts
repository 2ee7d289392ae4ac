import { createHash } from "node:crypto";
import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment.js";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount.js";
import { ClusterRole } from "@pulumi/kubernetes/rbac/v1/clusterRole.js";
import { ClusterRoleBinding } from "@pulumi/kubernetes/rbac/v1/clusterRoleBinding.js";
import { Role } from "@pulumi/kubernetes/rbac/v1/role.js";
import { RoleBinding } from "@pulumi/kubernetes/rbac/v1/roleBinding.js";
import { ConfigGroup } from "@pulumi/kubernetes/yaml/v2/configGroup.js";
import * as pulumi from "@pulumi/pulumi";
import { WORKLOADS } from "../lib/workloads.ts";
import type { Labels, WorkloadArgs } from "./conventions.ts";
import { workloadLabels, RESTRICTED, runAs, workload } from "./conventions.ts";
import { scrape } from "./scrape.ts";
import { waitUntilServed } from "./served-crds.ts";
import { headlessService } from "./services.ts";

/** Arguments of the Operator component. The operator watches no other namespace than its own. */
export interface OperatorArgs extends Pick<WorkloadArgs, "namespace" | "priorityClassName" | "image"> {
  /** The operator's CRDs as YAML. */
  crds: string;
  /** Kubeconfig of the cluster. */
  kubeconfig: pulumi.Input<string>;
  /** Image of the sidecar that the operator adds to Prometheus and Alertmanager. */
  configReloaderImage: string;
}

const { name: NAME, port: PORT } = WORKLOADS.operator;
const PORT_NAME = "http";
/** Pod annotation with the checksum of the CRDs. */
const CRDS_HASH = "k8sfv-metrics/crds-sha256";
/** API group of the operator's resources. */
const GROUP = "monitoring.coreos.com";

/**
 * Runs the Prometheus Operator, which manages the pods of Prometheus and Alertmanager and configures scrapes and rules.
 */
export class Operator extends pulumi.ComponentResource {
  /** The CRDs. A ServiceMonitor depends only on these. */
  readonly crds: ConfigGroup;
  /** The operator's Deployment. Resources whose pods the operator manages depend on this. */
  readonly deployment: Deployment;

  constructor(name: string, args: OperatorArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:kubernetes:Operator", name, {}, opts);
    const labels = workloadLabels(NAME, "controller", args.image);

    this.crds = new ConfigGroup(`${name}-crds`, { yaml: args.crds }, { parent: this });
    const account = new ServiceAccount(
      `${name}-account`,
      {
        metadata: { name: NAME, namespace: args.namespace, labels: labels.all },
        automountServiceAccountToken: false,
      },
      { parent: this },
    );
    const grants = this.createRoles(name, args.namespace, labels, account);
    const awaitCrds = new pulumi.ResourceHook(`${name}-await-crds`, async () => {
      await waitUntilServed(await known(args.kubeconfig), args.crds);
    });
    this.deployment = new Deployment(
      `${name}-deployment`,
      {
        metadata: { name: NAME, namespace: args.namespace, labels: labels.all },
        spec: {
          replicas: 1,
          selector: { matchLabels: labels.selector },
          template: {
            metadata: { labels: labels.all, annotations: { [CRDS_HASH]: hash(args.crds) } },
            spec: podSpec(args, account.metadata.name),
          },
        },
      },
      // The operator looks for CRDs only when it starts. The annotation CRDS_HASH restarts it when the CRDs change.
      workload(this, {
        dependsOn: [this.crds, ...grants],
        hooks: { beforeCreate: [awaitCrds], beforeUpdate: [awaitCrds] },
      }),
    );
    this.createMonitor(name, args.namespace, labels);
    this.registerOutputs({});
  }

  /** Creates a headless Service and a ServiceMonitor, through which Prometheus scrapes the operator. */
  private createMonitor(name: string, namespace: pulumi.Input<string>, labels: Labels): void {
    const service = headlessService(
      `${name}-service`,
      { serviceName: NAME, namespace, labels, ports: [{ name: PORT_NAME, number: PORT }] },
      { parent: this, dependsOn: [this.deployment] },
    );
    scrape(
      `${name}-monitor`,
      { namespace, serviceName: NAME, labels, ports: [PORT_NAME], crds: this.crds },
      { parent: this, dependsOn: [this.crds, service] },
    );
  }

  private createRoles(
    name: string,
    namespace: pulumi.Input<string>,
    labels: Labels,
    account: ServiceAccount,
  ): pulumi.Resource[] {
    const subjects = [{ kind: "ServiceAccount", name: account.metadata.name, namespace }];
    const metadata = { name: NAME, namespace, labels: labels.all };
    const role = new Role(`${name}-role`, { metadata, rules: NAMESPACE_RULES }, { parent: this });
    const clusterRole = new ClusterRole(
      `${name}-cluster-role`,
      { metadata: { name: NAME, labels: labels.all }, rules: clusterRules(namespace) },
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
          metadata: { name: NAME, labels: labels.all },
          subjects,
          roleRef: roleRef("ClusterRole", clusterRole.metadata.name),
        },
        { parent: this },
      ),
    ];
  }
}

/** Returns the value of an input. It never resolves in a preview that doesn't know the value. */
function known<T>(input: pulumi.Input<T>): Promise<T> {
  return new Promise((resolve) => {
    pulumi.output(input).apply((value) => {
      resolve(value as T);
    });
  });
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function roleRef(kind: "Role" | "ClusterRole", name: pulumi.Input<string>) {
  return { apiGroup: "rbac.authorization.k8s.io", kind, name };
}

const READ = ["get", "list", "watch"];

/**
 * Permissions in the namespace: the rules of the operator's repository (example/rbac/prometheus-operator) without
 * unused resources, and with the verbs that the operator's code uses (pkg/prometheus/server/operator.go, pkg/k8sutil)
 * instead of "*".
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

/** Returns the cluster-wide permissions: to read the operator's own namespace and to write events. */
function clusterRules(namespace: pulumi.Input<string>) {
  return [
    { apiGroups: [""], resources: ["namespaces"], resourceNames: [namespace], verbs: READ },
    { apiGroups: ["", "events.k8s.io"], resources: ["events"], verbs: ["create", "patch"] },
  ];
}

function podSpec(args: OperatorArgs, serviceAccountName: pulumi.Input<string>) {
  return {
    serviceAccountName,
    automountServiceAccountToken: true, // the operator watches resources of the Kubernetes API
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
          limits: { memory: "192Mi" },
        },
        securityContext: RESTRICTED,
      },
    ],
  };
}

/**
 * Resources of the config reloaders, as flags of the operator. "0" means no CPU limit: a limit would only slow down
 * reloads.
 */
const RELOADER_RESOURCES = {
  "cpu-request": "5m",
  "cpu-limit": "0",
  "memory-request": "32Mi",
  "memory-limit": "64Mi",
};
