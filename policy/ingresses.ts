import type { ResourceValidationPolicy } from "@pulumi/policy";
import type { Unwrap } from "@pulumi/pulumi";
import type { SecurityPolicyArgs } from "@pulumi/gcp/compute/securityPolicy.js";
import { tooOpen } from "./ranges.ts";
import { ifKnown, on, onAny, validate } from "./rule.ts";

interface Named {
  metadata?: { name?: string; annotations?: Record<string, string> };
}

interface Ingress extends Named {
  spec?: {
    ingressClassName?: string;
    defaultBackend?: Backend;
    rules?: { http?: { paths?: { backend?: Backend }[] } }[];
  };
}

interface Backend {
  service?: { name?: string };
}

interface BackendConfig extends Named {
  spec?: { securityPolicy?: { name?: string } };
}

type SecurityPolicy = Unwrap<SecurityPolicyArgs>;

/**
 * The objects registered so far that can protect an Ingress, by name. A resource policy sees only one resource at a
 * time, so the policy remembers these objects until the program registers the Ingress, which comes after them. A stack
 * policy would see all resources at once, but in a preview without a cluster it gets no inputs of Kubernetes objects.
 */
const registered = {
  services: new Map<string, Named>(),
  backendConfigs: new Map<string, BackendConfig>(),
  securityPolicies: new Map<string, SecurityPolicy>(),
};

/**
 * Services behind an external Ingress must have a security policy that allows only certain ranges or limits the rate of
 * all clients. An Ingress can't restrict ranges itself. Every class except `gce-internal` counts as external: GKE
 * creates an external load balancer for the annotation `gce` or without a class, and ignores other classes, which may
 * belong to another controller.
 */
export const ingressesAreGuarded: ResourceValidationPolicy = {
  name: "ingresses-are-guarded",
  description: "Services that an Ingress exposes to the internet have a security policy.",
  validateResource: validate(
    on("kubernetes:core/v1:Service", (service: Named) => remember(registered.services, service)),
    on("kubernetes:cloud.google.com/v1:BackendConfig", (config: BackendConfig) =>
      remember(registered.backendConfigs, config),
    ),
    on("gcp:compute/securityPolicy:SecurityPolicy", (policy: SecurityPolicy) => {
      if (policy.name !== undefined) registered.securityPolicies.set(policy.name, policy);
      return [];
    }),
    onAny(isIngress, problems),
  ),
};

function remember<T extends Named>(objects: Map<string, T>, object: T): [] {
  const name = ifKnown(() => object.metadata?.name);
  if (name !== undefined) objects.set(name, object);
  return [];
}

/** Returns whether a type is an Ingress of any API version. */
function isIngress(type: string): boolean {
  return /^kubernetes:(networking\.k8s\.io|extensions)\/.+:Ingress$/.test(type);
}

function problems({ metadata, spec = {} }: Ingress): string[] {
  // The annotation takes precedence over the field (cloud.google.com/kubernetes-engine/docs/concepts/ingress).
  const byAnnotation = metadata?.annotations?.["kubernetes.io/ingress.class"];
  if ((byAnnotation ?? spec.ingressClassName) === "gce-internal") return [];
  const paths = (spec.rules ?? []).flatMap(({ http }) => http?.paths ?? []);
  const backends = [spec.defaultBackend, ...paths.map(({ backend }) => backend)];
  const services = new Set(backends.flatMap((backend) => backend?.service?.name ?? []));
  // An Ingress without a Service has no problems, because it exposes no workload: Google's load balancer responds
  // itself.
  return [...services].flatMap(problemsOf);
}

function problemsOf(service: string): string[] {
  const annotations = registered.services.get(service)?.metadata?.annotations;
  const configs = JSON.parse(annotations?.["cloud.google.com/backend-config"] ?? "{}") as {
    default?: string;
  };
  const config = registered.backendConfigs.get(configs.default ?? "");
  const policy = registered.securityPolicies.get(config?.spec?.securityPolicy?.name ?? "");
  if (policy === undefined) {
    return [
      `It exposes ${service} to the internet. Set its class to gce-internal, or give the Service a security policy ` +
        "(annotation cloud.google.com/backend-config, spec.securityPolicy of the BackendConfig) that this program " +
        "registers before the Ingress.",
    ];
  }
  return (policy.rules ?? [])
    .filter(({ action }) => action === "allow")
    .flatMap(({ match }) => match.config?.srcIpRanges ?? [])
    .filter((range) => range !== "*" || !limitsRate(policy))
    .flatMap((range) => (range === "*" ? "it allows all addresses" : (tooOpen(range) ?? [])))
    .map(
      (problem) =>
        `Security policy of ${service}: ${problem}. Allow narrower ranges, or throttle all clients.`,
    );
}

/** Returns whether the policy limits the rate of all clients. */
function limitsRate({ rules = [] }: SecurityPolicy): boolean {
  return rules.some(
    ({ action, match }) => action === "throttle" && match.config?.srcIpRanges?.includes("*") === true,
  );
}

export const ingressPolicies = [ingressesAreGuarded];
