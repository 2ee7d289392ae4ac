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
 * What guards Ingresses, by name, as far as the program has asked for it: a rule sees one resource at a time, and
 * an Ingress comes after what it refers to. What a stack holds in the end would not do: in a preview that has no
 * cluster yet, nothing is in it of what the cluster's objects are asked to be.
 */
const asked = {
  services: new Map<string, Named>(),
  backendConfigs: new Map<string, BackendConfig>(),
  securityPolicies: new Map<string, SecurityPolicy>(),
};

/**
 * What answers on the internet says to whom. An Ingress can't name ranges itself, and GKE makes an external load
 * balancer of every class but one: so each Service behind it is under a security policy of this program, which
 * allows named ranges alone, or slows everybody down.
 */
export const ingressesAreGuarded: ResourceValidationPolicy = {
  name: "ingresses-are-guarded",
  description: "What an Ingress opens to the internet is behind a security policy.",
  validateResource: validate(
    on("kubernetes:core/v1:Service", (service: Named) => remember(asked.services, service)),
    on("kubernetes:cloud.google.com/v1:BackendConfig", (config: BackendConfig) =>
      remember(asked.backendConfigs, config),
    ),
    on("gcp:compute/securityPolicy:SecurityPolicy", (policy: SecurityPolicy) => {
      if (policy.name !== undefined) asked.securityPolicies.set(policy.name, policy);
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

/** In whichever version. */
function isIngress(type: string): boolean {
  return /^kubernetes:(networking\.k8s\.io|extensions)\/.+:Ingress$/.test(type);
}

function problems({ metadata, spec = {} }: Ingress): string[] {
  // The annotation wins over the field (cloud.google.com/kubernetes-engine/docs/concepts/ingress).
  const byAnnotation = metadata?.annotations?.["kubernetes.io/ingress.class"];
  if ((byAnnotation ?? spec.ingressClassName) === "gce-internal") return [];
  const paths = (spec.rules ?? []).flatMap(({ http }) => http?.paths ?? []);
  const backends = [spec.defaultBackend, ...paths.map(({ backend }) => backend)];
  const services = new Set(backends.flatMap((backend) => backend?.service?.name ?? []));
  // One that leads to no Service is answered by Google alone.
  return [...services].flatMap(problemsOf);
}

function problemsOf(service: string): string[] {
  const annotations = asked.services.get(service)?.metadata?.annotations;
  const configs = JSON.parse(annotations?.["cloud.google.com/backend-config"] ?? "{}") as {
    default?: string;
  };
  const config = asked.backendConfigs.get(configs.default ?? "");
  const policy = asked.securityPolicies.get(config?.spec?.securityPolicy?.name ?? "");
  if (policy === undefined) {
    return [
      `It opens ${service} to the internet: set its class to gce-internal, or put the Service under a security ` +
        "policy (annotation cloud.google.com/backend-config, spec.securityPolicy of the BackendConfig) that this " +
        "program makes before it.",
    ];
  }
  return (policy.rules ?? [])
    .filter(({ action }) => action === "allow")
    .flatMap(({ match }) => match.config?.srcIpRanges ?? [])
    .filter((range) => range !== "*" || !slowsDown(policy))
    .flatMap((range) => (range === "*" ? "it allows everybody" : (tooOpen(range) ?? [])))
    .map(
      (problem) =>
        `The security policy of ${service}: ${problem}; allow narrower ranges, or throttle everybody.`,
    );
}

/** Whether everybody's rate is limited before anything is allowed. */
function slowsDown({ rules = [] }: SecurityPolicy): boolean {
  return rules.some(
    ({ action, match }) => action === "throttle" && match.config?.srcIpRanges?.includes("*") === true,
  );
}

/** The way in from the internet. */
export const ingressPolicies = [ingressesAreGuarded];
