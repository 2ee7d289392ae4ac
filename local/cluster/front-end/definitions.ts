import type { KubernetesObject } from "@kubernetes/client-node";

/**
 * The types by which an Ingress asks for more of Google's load balancer than an Ingress can say. Each GKE
 * cluster has them from the start; the fields are those that Google documents
 * (cloud.google.com/kubernetes-engine/docs/how-to/ingress-configuration and …/managed-certs) and that this
 * load balancer serves. Others are refused rather than ignored.
 */
export function frontEndDefinitions(): KubernetesObject[] {
  return [managedCertificate(), frontendConfig(), backendConfig()];
}

type Schema = Record<string, unknown>;

const text: Schema = { type: "string" };
const whole: Schema = { type: "integer", format: "int64" };
const flag: Schema = { type: "boolean" };

function managedCertificate(): KubernetesObject {
  const domainStatus = object({ domain: text, status: text }, ["domain", "status"]);
  return definition("networking.gke.io", "v1", "ManagedCertificate", {
    spec: object(
      // A name of at most 63 characters, no wildcard; at most 100 of them.
      { domains: { type: "array", maxItems: 100, items: { ...text, maxLength: 63, pattern: DOMAIN } } },
      ["domains"],
    ),
    status: object({
      certificateName: text,
      certificateStatus: text,
      domainStatus: { type: "array", items: domainStatus },
      expireTime: { ...text, format: "date-time" },
    }),
  });
}

const DOMAIN =
  "^(([a-zA-Z0-9]|[a-zA-Z0-9][-a-zA-Z0-9]*[a-zA-Z0-9])\\.)+[a-zA-Z][-a-zA-Z0-9]*[a-zA-Z0-9]\\.?$";

function frontendConfig(): KubernetesObject {
  return definition("networking.gke.io", "v1beta1", "FrontendConfig", {
    spec: object({ redirectToHttps: object({ enabled: flag, responseCodeName: text }) }),
  });
}

function backendConfig(): KubernetesObject {
  return definition("cloud.google.com", "v1", "BackendConfig", {
    spec: object({
      securityPolicy: object({ name: text }, ["name"]),
      timeoutSec: whole,
      healthCheck: object({
        checkIntervalSec: whole,
        timeoutSec: whole,
        healthyThreshold: whole,
        unhealthyThreshold: whole,
        type: text,
        port: whole,
        requestPath: text,
      }),
    }),
  });
}

function object(properties: Record<string, Schema>, required: string[] = []): Schema {
  return { type: "object", properties, ...(required.length > 0 ? { required } : {}) };
}

function definition(
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
