import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import type { Options } from "./resource-options.ts";
import { nameOf, onRegistration } from "./resource-options.ts";
import "./untraced-promises.ts";

/** A resource as the program registers it. */
export interface Recorded {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
  /** Name of the explicit provider, "" without one. */
  provider: string;
  custom: boolean;
  options: Options;
}

/** A created resource, as a provider returns it. */
export interface Made {
  id: string;
  state: Record<string, unknown>;
}

type Outputs = (name: string, inputs: Record<string, unknown>) => Record<string, unknown>;

const nothing: Outputs = () => ({});
const selfLink: Outputs = (_, { name }) => ({ selfLink: `link/${String(name)}` });

/** Resource types that the program may use, with the outputs that the real provider adds. */
const KNOWN: Record<string, Outputs> = {
  "pulumi:providers:gcp": nothing,
  "pulumi:providers:kubernetes": nothing,
  "pulumi:providers:grafana": nothing,
  "gcp:compute/network:Network": selfLink,
  "gcp:compute/subnetwork:Subnetwork": selfLink,
  "gcp:compute/router:Router": nothing,
  "gcp:compute/routerNat:RouterNat": nothing,
  "gcp:compute/firewall:Firewall": nothing,
  "gcp:compute/address:Address": nothing,
  "gcp:compute/networkPeering:NetworkPeering": nothing,
  "gcp:compute/disk:Disk": nothing,
  "gcp:compute/resourcePolicy:ResourcePolicy": nothing,
  "gcp:compute/diskResourcePolicyAttachment:DiskResourcePolicyAttachment": nothing,
  "gcp:serviceaccount/account:Account": (_, { accountId }) => ({
    email: `${String(accountId)}@example.iam.gserviceaccount.com`,
    member: `serviceAccount:${String(accountId)}@example.iam.gserviceaccount.com`,
  }),
  "gcp:projects/iAMMember:IAMMember": nothing,
  "gcp:projects/service:Service": nothing,
  "gcp:container/cluster:Cluster": () => ({
    endpoint: "203.0.113.7",
    masterAuth: { clusterCaCertificate: "Q0EK" },
    controlPlaneEndpointsConfig: { dnsEndpointConfig: { endpoint: "gke-abc.us-central1.gke.goog" } },
  }),
  "gcp:container/nodePool:NodePool": nothing,
  "random:index/randomPassword:RandomPassword": () => ({ result: "generated", bcryptHash: "hash of it" }),
  "kubernetes:core/v1:Namespace": nothing,
  "kubernetes:core/v1:ConfigMap": (name) => ({ metadata: { name: `${name}-0` } }),
  "kubernetes:core/v1:ServiceAccount": nothing,
  "kubernetes:core/v1:Service": (_, { spec }) => ({ spec: { ...(spec as object), clusterIP: "10.250.0.7" } }),
  "kubernetes:core/v1:Secret": (name, { metadata }) => ({
    metadata: { name: `${name}-0`, ...(metadata as object) },
  }),
  "kubernetes:networking.k8s.io/v1:NetworkPolicy": nothing,
  "kubernetes:networking.k8s.io/v1:Ingress": nothing,
  "kubernetes:scheduling.k8s.io/v1:PriorityClass": nothing,
  "kubernetes:policy/v1:PodDisruptionBudget": nothing,
  "kubernetes:networking.gke.io/v1:ManagedCertificate": nothing,
  "kubernetes:networking.gke.io/v1beta1:FrontendConfig": nothing,
  "kubernetes:cloud.google.com/v1:BackendConfig": nothing,
  "gcp:compute/globalAddress:GlobalAddress": () => ({ address: "203.0.113.9" }),
  "gcp:compute/securityPolicy:SecurityPolicy": nothing,
  "kubernetes:core/v1:PersistentVolume": nothing,
  "kubernetes:core/v1:PersistentVolumeClaim": nothing,
  "kubernetes:apps/v1:Deployment": nothing,
  "kubernetes:rbac.authorization.k8s.io/v1:Role": nothing,
  "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": nothing,
  "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole": nothing,
  "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding": nothing,
  "kubernetes:yaml/v2:ConfigGroup": nothing,
  "kubernetes:monitoring.coreos.com/v1:Prometheus": nothing,
  "kubernetes:monitoring.coreos.com/v1:Alertmanager": nothing,
  "kubernetes:monitoring.coreos.com/v1:ServiceMonitor": nothing,
  "kubernetes:monitoring.coreos.com/v1:PrometheusRule": nothing,
  "kubernetes:monitoring.coreos.com/v1alpha1:ScrapeConfig": nothing,
  "grafana:oss/dataSource:DataSource": nothing,
  "grafana:oss/folder:Folder": nothing,
  "grafana:oss/dashboard:Dashboard": nothing,
};

/**
 * Mocks the engine: records every resource with its options, and rejects types that are not in `KNOWN`. A
 * test with these mocks proves what the program requests. Only tests/environment proves that a provider
 * accepts the request and that the engine applies the options. Call this function before importing modules
 * that create resources.
 *
 * @param serve - creates a resource like a provider; returns undefined for types that it doesn't support
 * @param call - calls a provider function. Default: throws an error
 */
export async function mockEngine(
  stack = "test",
  preview = false,
  serve: (resource: pulumi.runtime.MockResourceArgs) => Promise<Made> | undefined = () => undefined,
  call: (request: pulumi.runtime.MockCallArgs) => Promise<Record<string, unknown>> = ({ token }) => {
    throw new Error(`unexpected call of ${token}`);
  },
): Promise<Recorded[]> {
  const recorded: Recorded[] = [];
  let options: Options = {};
  await pulumi.runtime.setMocks(
    {
      call,
      newResource: (resource) => {
        const { type, name, provider, custom } = resource;
        const known = KNOWN[type];
        if (known === undefined && !type.startsWith("k8sfv:")) {
          throw new Error(
            `unexpected resource type ${type} (${name}); add it to KNOWN if the program should use it`,
          );
        }
        const values = resource.inputs as Record<string, unknown>;
        recorded.push({
          type,
          name,
          inputs: values,
          provider: nameOf(provider ?? ""),
          custom: custom ?? false,
          options,
        });
        const served = serve(resource);
        if (served !== undefined) return served;
        return { id: `${name}-id`, state: { ...values, ...known?.(name, values) } };
      },
    },
    "k8sfv-metrics",
    stack,
    preview,
  );
  // This callback runs immediately before the mock `newResource` of the same resource, which records `options`.
  onRegistration((registered) => {
    options = registered;
  });
  return recorded;
}

const settings = createRequire(import.meta.url)("@pulumi/pulumi/runtime/settings.js") as {
  /**
   * Resolves when the engine has responded to all requests. The SDK's function `disconnect` calls it, but the SDK's
   * types don't declare it.
   */
  waitForRPCs: () => Promise<void>;
};

/** Waits until all resources that the program has registered, and outputs that follow from them, are recorded. */
export async function settled(recorded: Recorded[]): Promise<void> {
  // Callbacks of `apply` run after the responses to registrations, and may register more resources.
  for (let seen = -1; seen !== recorded.length;) {
    seen = recorded.length;
    await settings.waitForRPCs();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}

/** Returns the only custom resource with this name. */
export function named(recorded: Recorded[], name: string): Recorded {
  const [found, ...more] = recorded.filter(
    (resource) => resource.name === name && !resource.type.startsWith("k8sfv:"),
  );
  if (found === undefined || more.length > 0) {
    const names = recorded.map((resource) => resource.name).join(", ");
    throw new Error(
      `${more.length + (found ? 1 : 0)} resources are named ${name} instead of one; existing names: ${names}`,
    );
  }
  return found;
}

/** Name of an example stack in Google Cloud. Tests use it so that they don't depend on a team's own stacks. */
export const EXAMPLE = "example";
/** Name of a stack with all optional resources. */
export const FULL = "full";
/** The stacks of tests/unit/fixtures. */
const FIXTURES = [EXAMPLE, FULL];

/** Sample values of encrypted secrets whose keys accept only certain values. Other secrets get "example-secret". */
const SECRET_SAMPLES: Record<string, string> = {
  "k8sfv-metrics:alertWebhookUrl": "https://example.org/hook",
  "k8sfv-metrics:alertSlackUrl": "https://hooks.slack.com/services/example",
  "k8sfv-metrics:alertPagerDutyKey": "0123456789abcdef0123456789abcdef",
};

/** Returns a stack file's configuration in the engine's format. Encrypted secrets are replaced by sample values. */
export function stackConfig(stack: string): Record<string, string> {
  const folder = FIXTURES.includes(stack) ? "fixtures" : "../..";
  return configOf(readFileSync(new URL(`${folder}/Pulumi.${stack}.yaml`, import.meta.url), "utf8"));
}

/**
 * Returns the configuration in a stack file's text in the engine's format, with sample values for encrypted secrets.
 */
export function configOf(text: string): Record<string, string> {
  const { config } = parse(text) as { config: Record<string, string | object> };
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      if (typeof value !== "object") return [key, value];
      return [key, "secure" in value ? (SECRET_SAMPLES[key] ?? "example-secret") : JSON.stringify(value)];
    }),
  );
}
