import { GlobalAddress } from "@pulumi/gcp/compute/globalAddress.js";
import { SecurityPolicy } from "@pulumi/gcp/compute/securityPolicy.js";
import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import { Service } from "@pulumi/kubernetes/core/v1/service.js";
import { Ingress } from "@pulumi/kubernetes/networking/v1/ingress.js";
import * as pulumi from "@pulumi/pulumi";
import { WORKLOADS } from "../lib/workloads.ts";
import { MAX_RESPONSE_SECONDS } from "./push-proxy.ts";
import type { StackLabels } from "./stack-labels.ts";
import { workload, WORKLOAD_TIMEOUTS } from "./conventions.ts";
import { PUSH_QUEUE_HEALTH_PATH } from "./push-queue-config.ts";
import { pushQueueLabels } from "./push-queue.ts";

/** Arguments of the PushEntrance component. */
export interface PushEntranceArgs {
  /** Enabled APIs, which the resources depend on. */
  apis: pulumi.Input<pulumi.Resource[]>;
  /** Prefix of names in Google Cloud: the cluster's name. */
  prefix: string;
  /** Labels of the Google Cloud resources. */
  labels: StackLabels;
  /** Namespace of the Pushgateway. */
  namespace: pulumi.Input<string>;
  /** Image of the push queue. Only its tag is used, as the version in the labels of the Kubernetes objects. */
  image: string;
  /** Domain for pushes. Its A record must be `address`. */
  domain: string;
  /** IPv4 ranges that may push; "anywhere" allows all addresses. */
  sourceRanges: string[] | "anywhere";
  /** Whether `protect` prevents the deletion of the address, to which the domain points. */
  protectAddress: boolean;
}

const { name: NAME, port: PORT } = WORKLOADS.pushGateway;
const ENTRANCE = `${NAME}-external`;
const BACKEND = { service: { name: ENTRANCE, port: { number: PORT } } };
/** Maximum number of ranges in a rule of a Google Cloud Armor policy. */
const RANGES_A_RULE = 10;
/** Maximum requests per minute from one address, if all addresses may push. A run pushes once. */
const REQUESTS_A_MINUTE = 120;
const LAST_PRIORITY = 2_147_483_647;

/**
 * Exposes the Pushgateway to the internet through Google's load balancer, with a managed certificate and only for the
 * given ranges. The Pushgateway checks the password. Google issues the certificate when the domain points to the
 * address; until then, pushes from the internet fail.
 */
export class PushEntrance extends pulumi.ComponentResource {
  /** IP address for the domain's A record. */
  readonly address: pulumi.Output<string>;
  private readonly domain: string;

  constructor(name: string, args: PushEntranceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:kubernetes:PushEntrance", name, {}, opts);
    const { prefix, namespace, domain } = args;
    const labels = pushQueueLabels(args.image);
    const metadata = { name: ENTRANCE, namespace, labels: labels.all };

    const inCloud = { parent: this, dependsOn: args.apis };
    const address = new GlobalAddress(
      `${name}-address`,
      { name: `${prefix}-push`, labels: args.labels },
      { ...inCloud, protect: args.protectAddress },
    );
    const policy = new SecurityPolicy(
      `${name}-policy`,
      { name: `${prefix}-push`, labels: args.labels, rules: rules(args.sourceRanges) },
      inCloud,
    );
    const google = (suffix: string, apiVersion: string, kind: string, spec: object) =>
      new CustomResource(`${name}-${suffix}`, { apiVersion, kind, metadata, spec }, { parent: this });
    const certificate = google("certificate", "networking.gke.io/v1", "ManagedCertificate", {
      domains: [domain],
    });
    const frontend = google("frontend", "networking.gke.io/v1beta1", "FrontendConfig", {
      redirectToHttps: { enabled: true },
    });
    const backend = google("backend", "cloud.google.com/v1", "BackendConfig", {
      securityPolicy: { name: policy.name },
      // The health check covers only the push queue, not the Pushgateway: the queue accepts pushes while the
      // Pushgateway is unavailable.
      healthCheck: { type: "HTTP", requestPath: PUSH_QUEUE_HEALTH_PATH, port: PORT },
      // Time in seconds after which the load balancer ends a request. The default is 30 s.
      timeoutSec: MAX_RESPONSE_SECONDS,
    });
    const service = new Service(
      `${name}-service`,
      {
        metadata: {
          ...metadata,
          // Without the label `app.kubernetes.io/name`, no ServiceMonitor selects this Service.
          labels: { "app.kubernetes.io/part-of": "k8sfv-metrics" },
          annotations: {
            "cloud.google.com/neg": '{"ingress": true}',
            "cloud.google.com/backend-config": JSON.stringify({ default: ENTRANCE }),
          },
        },
        spec: { selector: labels.selector, ports: [{ name: "metrics", port: PORT, targetPort: "metrics" }] },
      },
      { parent: this, dependsOn: [backend] },
    );
    new Ingress(
      `${name}-ingress`,
      {
        metadata: {
          ...metadata,
          annotations: {
            "kubernetes.io/ingress.class": "gce",
            "kubernetes.io/ingress.global-static-ip-name": address.name,
            "networking.gke.io/managed-certificates": ENTRANCE,
            "networking.gke.io/v1beta1.FrontendConfig": ENTRANCE,
          },
        },
        spec: {
          rules: [{ host: domain, http: { paths: [{ path: "/", pathType: "Prefix", backend: BACKEND }] } }],
        },
      },
      // The Ingress refers to these resources by constant names, so it needs `dependsOn`. Their outputs would be
      // unknown in a preview without a cluster, where policies must still be able to check the Ingress.
      workload(this, {
        dependsOn: [certificate, frontend, service],
        // GKE keeps the Ingress until its load balancer is gone, which may take 10 minutes.
        customTimeouts: { ...WORKLOAD_TIMEOUTS, delete: "20m" },
      }),
    );

    this.address = address.address;
    this.domain = domain;
    this.registerOutputs({ address: this.address });
  }

  /** Returns the URL for CI, with the credentials, "USER:PASSWORD", if the Pushgateway requires a password. */
  urlWith(credentials: pulumi.Output<string> | undefined): pulumi.Output<string> {
    const login = credentials === undefined ? "" : pulumi.interpolate`${credentials}@`;
    return pulumi.interpolate`https://${login}${this.domain}`;
  }
}

function rules(sourceRanges: string[] | "anywhere") {
  const from = (srcIpRanges: string[]) => ({ versionedExpr: "SRC_IPS_V1", config: { srcIpRanges } });
  const last = { priority: LAST_PRIORITY, match: from(["*"]) };
  if (sourceRanges === "anywhere") {
    const throttle = {
      conformAction: "allow",
      exceedAction: "deny(429)",
      enforceOnKey: "IP",
      rateLimitThreshold: { count: REQUESTS_A_MINUTE, intervalSec: 60 },
    };
    return [
      { priority: 1000, action: "throttle", match: from(["*"]), rateLimitOptions: throttle },
      { ...last, action: "allow" },
    ];
  }
  const count = Math.ceil(sourceRanges.length / RANGES_A_RULE);
  const allowed = Array.from({ length: count }, (_, at) => ({
    priority: 1000 + at,
    action: "allow",
    match: from(sourceRanges.slice(at * RANGES_A_RULE, (at + 1) * RANGES_A_RULE)),
  }));
  return [...allowed, { ...last, action: "deny(403)" }];
}
