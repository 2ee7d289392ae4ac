import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment.js";
import { Secret } from "@pulumi/kubernetes/core/v1/secret.js";
import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword.js";
import { WORKLOADS } from "../lib/workloads.ts";
import type { WorkloadArgs } from "./conventions.ts";
import { onePod, workloadLabels, RESTRICTED, runAs, workload } from "./conventions.ts";
import { DiskClaim } from "./disk-claim.ts";
import type { Operator } from "./operator.ts";
import { scrape } from "./scrape.ts";
import { internalService } from "./services.ts";

/** Arguments of the Grafana component. */
export interface GrafanaArgs extends WorkloadArgs {
  /**
   * Whether `protect` prevents the deletion of the password. The database on Grafana's disk accepts no other
   * password.
   */
  protectPassword: boolean;
  /** Whether people may view dashboards without signing in. */
  anonymousViewer: boolean;
  /** Operator whose CRDs the ServiceMonitor needs. */
  operator: Operator;
}

const { name: NAME } = WORKLOADS.grafana;
/** Port of Grafana's Service and pod. */
export const GRAFANA_PORT = WORKLOADS.grafana.port;
const PORT_NAME = "http";
const USER = "admin";
const PASSWORD_KEY = "admin-password";
/** ID of the image's user. */
const USER_ID = 472;

/** Runs Grafana with a generated administrator password and its database on a disk. */
export class Grafana extends pulumi.ComponentResource {
  /** URL inside the VPC. */
  readonly url: pulumi.Output<string>;
  /** User name of the administrator. */
  readonly user: string = USER;
  /** Password of the administrator. */
  readonly password: pulumi.Output<string>;
  /** The Deployment. */
  readonly deployment: Deployment;
  /** Labels that select Grafana's pods. */
  readonly podLabels: Record<string, string>;
  /** Name of the Service. */
  readonly serviceName: pulumi.Output<string>;

  constructor(name: string, args: GrafanaArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:kubernetes:Grafana", name, {}, opts);
    const labels = workloadLabels(NAME, "dashboards", args.image);
    const { namespace } = args;
    this.podLabels = labels.selector;
    this.url = pulumi.interpolate`http://${args.address}:${GRAFANA_PORT}`;

    // Letters and digits only, so that no URL, shell or header needs quoting.
    const password = new RandomPassword(
      `${name}-password`,
      { length: 32, special: false },
      { parent: this, protect: args.protectPassword },
    );
    this.password = password.result;
    const secret = new Secret(
      `${name}-secret`,
      {
        metadata: { name: `${NAME}-admin`, namespace, labels: labels.all },
        stringData: { [PASSWORD_KEY]: password.result },
      },
      { parent: this },
    );
    const claim = new DiskClaim(
      `${name}-disk`,
      { namespace, disk: args.disk, volumeName: NAME, claimName: NAME },
      { parent: this },
    );
    this.deployment = new Deployment(
      `${name}-deployment`,
      {
        metadata: { name: NAME, namespace, labels: labels.all },
        spec: onePod(
          labels,
          podSpec(args, claim.claimName, secret.metadata.name, settings(this.url, args.anonymousViewer)),
        ),
      },
      workload(this),
    );
    const service = internalService(
      `${name}-service`,
      {
        serviceName: NAME,
        namespace,
        labels,
        address: args.address,
        sourceRanges: args.sourceRanges,
        ports: [{ name: PORT_NAME, number: GRAFANA_PORT }],
      },
      workload(this),
    );
    scrape(
      `${name}-monitor`,
      { namespace, serviceName: NAME, labels, ports: [PORT_NAME], crds: args.operator.crds },
      { parent: this },
    );

    this.serviceName = service.metadata.name;
    this.registerOutputs({ url: this.url, password: this.password });
  }
}

/** Returns Grafana's settings as environment variables, GF_<SECTION>_<KEY>. */
function settings(
  rootUrl: pulumi.Input<string>,
  anonymousViewer: boolean,
): Record<string, pulumi.Input<string>> {
  return {
    GF_SERVER_ROOT_URL: rootUrl,
    GF_LOG_MODE: "console",
    GF_SECURITY_ADMIN_USER: USER,
    GF_SECURITY_DISABLE_GRAVATAR: "true",
    // Browsers ignore a secure cookie of an http:// URL, so nobody could sign in.
    GF_SECURITY_COOKIE_SECURE: pulumi.output(rootUrl).apply((url) => String(url.startsWith("https:"))),
    GF_SECURITY_COOKIE_SAMESITE: "strict",
    // Anonymous users can only view. In the previous, hand-built environment, they were administrators.
    GF_AUTH_ANONYMOUS_ENABLED: String(anonymousViewer),
    GF_AUTH_ANONYMOUS_ORG_ROLE: "Viewer",
    GF_AUTH_ANONYMOUS_HIDE_VERSION: "true",
    GF_USERS_ALLOW_SIGN_UP: "false",
    GF_USERS_ALLOW_ORG_CREATE: "false",
    // The following settings disable usage reports and downloads at run time.
    GF_ANALYTICS_REPORTING_ENABLED: "false",
    GF_ANALYTICS_CHECK_FOR_UPDATES: "false",
    GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: "false",
    GF_ANALYTICS_FEEDBACK_LINKS_ENABLED: "false",
    GF_PLUGINS_PREINSTALL_DISABLED: "true",
    GF_PLUGINS_PLUGIN_ADMIN_ENABLED: "false",
    GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED: "true",
    GF_NEWS_NEWS_FEED_ENABLED: "false",
    GF_SNAPSHOTS_EXTERNAL_ENABLED: "false",
  };
}

function podSpec(
  { image, priorityClassName }: GrafanaArgs,
  claimName: pulumi.Input<string>,
  secretName: pulumi.Input<string>,
  environment: Record<string, pulumi.Input<string>>,
) {
  const password = { secretKeyRef: { name: secretName, key: PASSWORD_KEY } };
  const health = { httpGet: { path: "/api/health", port: PORT_NAME }, timeoutSeconds: 5 };
  return {
    automountServiceAccountToken: false,
    // Kubernetes sets environment variables for each Service. Those of a Service whose name begins with "gf" would
    // become settings of Grafana.
    enableServiceLinks: false,
    priorityClassName,
    terminationGracePeriodSeconds: 30,
    securityContext: runAs(USER_ID),
    containers: [
      {
        name: NAME,
        image,
        imagePullPolicy: "IfNotPresent",
        env: [
          ...Object.entries(environment).map(([key, value]) => ({ name: key, value })),
          { name: "GF_SECURITY_ADMIN_PASSWORD", valueFrom: password },
        ],
        ports: [{ name: PORT_NAME, containerPort: GRAFANA_PORT }],
        // The first start creates the database, which takes a while on a slow disk.
        startupProbe: { ...health, periodSeconds: 2, failureThreshold: 90 },
        readinessProbe: { ...health, periodSeconds: 5 },
        livenessProbe: { ...health, periodSeconds: 30, failureThreshold: 5 },
        resources: { requests: { cpu: "50m", memory: "256Mi" }, limits: { memory: "768Mi" } },
        securityContext: RESTRICTED,
        volumeMounts: [
          { name: "data", mountPath: "/var/lib/grafana" },
          { name: "scratch", mountPath: "/tmp" },
        ],
      },
    ],
    volumes: [
      { name: "data", persistentVolumeClaim: { claimName } },
      { name: "scratch", emptyDir: { sizeLimit: "64Mi" } },
    ],
  };
}
