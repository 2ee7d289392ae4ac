import type { KubernetesObject } from "@kubernetes/client-node";

/**
 * Returns the CRDs that configure Google's load balancer beyond what an Ingress can express. Every GKE cluster has
 * them. The CRDs contain only some of the fields that Google documents
 * (cloud.google.com/kubernetes-engine/docs/how-to/ingress-configuration and …/managed-certs); server-side apply rejects
 * the others. The emulated load balancer ignores the intervals, thresholds and type of health checks, and the response
 * code of the redirect, which is always 301.
 */
export function frontEndCrds(): KubernetesObject[] {
  return [managedCertificate(), frontendConfig(), backendConfig()];
}

type Schema = Record<string, unknown>;

const stringType: Schema = { type: "string" };
const integerType: Schema = { type: "integer", format: "int64" };
const booleanType: Schema = { type: "boolean" };

function managedCertificate(): KubernetesObject {
  const domainStatus = object({ domain: stringType, status: stringType }, ["domain", "status"]);
  return crd("networking.gke.io", "v1", "ManagedCertificate", {
    spec: object(
      // Google's limits: no wildcards, at most 63 characters per domain, at most 100 domains.
      { domains: { type: "array", maxItems: 100, items: { ...stringType, maxLength: 63, pattern: DOMAIN } } },
      ["domains"],
    ),
    status: object({
      certificateName: stringType,
      certificateStatus: stringType,
      domainStatus: { type: "array", items: domainStatus },
      expireTime: { ...stringType, format: "date-time" },
    }),
  });
}

const DOMAIN =
  "^(([a-zA-Z0-9]|[a-zA-Z0-9][-a-zA-Z0-9]*[a-zA-Z0-9])\\.)+[a-zA-Z][-a-zA-Z0-9]*[a-zA-Z0-9]\\.?$";

function frontendConfig(): KubernetesObject {
  return crd("networking.gke.io", "v1beta1", "FrontendConfig", {
    spec: object({ redirectToHttps: object({ enabled: booleanType, responseCodeName: stringType }) }),
  });
}

function backendConfig(): KubernetesObject {
  return crd("cloud.google.com", "v1", "BackendConfig", {
    spec: object({
      securityPolicy: object({ name: stringType }, ["name"]),
      timeoutSec: integerType,
      healthCheck: object({
        checkIntervalSec: integerType,
        timeoutSec: integerType,
        healthyThreshold: integerType,
        unhealthyThreshold: integerType,
        type: stringType,
        port: integerType,
        requestPath: stringType,
      }),
    }),
  });
}

function object(properties: Record<string, Schema>, required: string[] = []): Schema {
  return { type: "object", properties, ...(required.length > 0 ? { required } : {}) };
}

function crd(
  group: string,
  version: string,
  kind: string,
  properties: Record<string, Schema>,
): KubernetesObject {
  const singular = kind.toLowerCase();
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${singular}s.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { kind, singular, plural: `${singular}s`, listKind: `${kind}List` },
      versions: [
        { name: version, served: true, storage: true, schema: { openAPIV3Schema: object(properties) } },
      ],
    },
  } as KubernetesObject;
}
