import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment.js";
import type { Service } from "@pulumi/kubernetes/core/v1/service.js";
import * as pulumi from "@pulumi/pulumi";
import type { PushGatewayConfig } from "../config/schema.ts";
import { WORKLOADS } from "../lib/workloads.ts";
import type { Labels, WorkloadArgs } from "./conventions.ts";
import { onePod, workloadLabels, RESTRICTED, runAs, workload } from "./conventions.ts";
import { DiskClaim } from "./disk-claim.ts";
import type { Operator } from "./operator.ts";
import { PERSISTENCE_INTERVAL, pushProxy } from "./push-proxy.ts";
import { PushPassword } from "./push-password.ts";
import { pushQueue, pushQueueLabels } from "./push-queue.ts";
import { scrape } from "./scrape.ts";
import { clusterService, internalService } from "./services.ts";

/** Arguments of the PushGateway component. */
export interface PushGatewayArgs extends WorkloadArgs, Pick<PushGatewayConfig, "exposure" | "auth"> {
  /** Image of the push proxy, with Node 20 or newer and a shell. */
  proxyImage: string;
  /** Image of the push queue, with HAProxy 2.6 or newer. */
  queueImage: string;
  /** Prometheus Operator, whose CRDs the ServiceMonitor needs. */
  operator: Operator;
  /** Whether `protect` prevents the deletion of the password. */
  protectPassword: boolean;
}

const { name: NAME, port: PORT } = WORKLOADS.pushGateway;
/**
 * Name of the Service's port, by which a ServiceMonitor selects it. The environment that this program replaced used the
 * same name.
 */
const PORT_NAME = "metrics";
/** Name of the Service between the push queue and the push proxy. */
const PROXY_SERVICE = "push-proxy";
/** Port of the Pushgateway itself, on 127.0.0.1. */
const GATEWAY_PORT = 9092;
const DATA = { name: "data", mountPath: "/data" };
const FILE = `${DATA.mountPath}/metrics`;
const WEB_CONFIG = { name: "web-config", mountPath: "/etc/pushgateway" };

/**
 * Temporary label that marks the Pushgateway's own metrics during relabeling. Prometheus reserves the prefix `__tmp`
 * for such labels.
 */
const OWN = "__tmp_own";
/**
 * Drops pushed series whose `job` is one of the environment's own. With `honorLabels` they would be mistaken for
 * metrics of Prometheus, for example. The Pushgateway's own metrics are kept: they have the target's `job` and
 * `instance`. The dropped jobs also include `push-proxy`, to which the push proxy pushes in order to see when the
 * Pushgateway has written its file (checkpoint.ts), and `push-guard`, the proxy's former name.
 */
const DROP_IMPOSTORS = [
  { sourceLabels: ["job", "instance"], regex: `${NAME};${NAME}`, targetLabel: OWN, replacement: "true" },
  {
    sourceLabels: ["job", OWN],
    regex: `(${[...Object.values(WORKLOADS).map(({ name }) => name), "push-proxy", "push-guard"].join("|")});`,
    action: "drop",
  },
  { regex: OWN, action: "labeldrop" },
];

/**
 * Tolerations that let Kubernetes delete the pod 60 s after its node is lost, instead of after 5 minutes, because
 * pushes wait in the meantime. The new pod starts only when the disk is detached from the lost node, so two pods never
 * use the disk at the same time.
 */
const LOST_NODE = ["node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"].map((key) => ({
  key,
  operator: "Exists",
  effect: "NoExecute",
  tolerationSeconds: 60,
}));

/** Runs the Pushgateway behind a push proxy, which responds with 2xx only when a push is on the disk. */
export class PushGateway extends pulumi.ComponentResource {
  /** URL inside the VPC, a secret if it contains a password; undefined if pushes come only from the cluster. */
  readonly url: pulumi.Output<string> | undefined;
  /** URL inside the cluster, a secret if it contains a password. */
  readonly urlInCluster: pulumi.Output<string>;
  /** User and password, "USER:PASSWORD"; undefined without `auth`. */
  readonly credentials: pulumi.Output<string> | undefined;

  constructor(name: string, args: PushGatewayArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:kubernetes:PushGateway", name, {}, opts);
    const labels = workloadLabels(NAME, "push-gateway", args.image);
    const { namespace } = args;

    const claim = new DiskClaim(
      `${name}-disk`,
      { namespace, disk: args.disk, volumeName: NAME, claimName: NAME },
      { parent: this },
    );
    const password = args.auth
      ? new PushPassword(
          `${name}-password`,
          { namespace, labels: labels.all, protect: args.protectPassword },
          { parent: this },
        )
      : undefined;
    const proxyService = clusterService(
      `${name}-proxy-service`,
      { serviceName: PROXY_SERVICE, namespace, labels, ports: [{ name: PORT_NAME, number: PORT }] },
      { parent: this },
    );
    const queue = pushQueue(
      `${name}-queue`,
      {
        namespace,
        priorityClassName: args.priorityClassName,
        image: args.queueImage,
        server: { host: proxyService.spec.clusterIP, port: PORT },
        crds: args.operator.crds,
      },
      this,
    );
    const service = this.serve(name, args, queue);
    new Deployment(
      `${name}-deployment`,
      {
        metadata: { name: NAME, namespace, labels: labels.all },
        spec: onePod(labels, this.podSpec(name, args, labels, claim.claimName, password)),
      },
      // The Service depends on the push queue. So the queue is updated before this Deployment, and holds pushes while
      // this pod is replaced.
      workload(this, { dependsOn: [service] }),
    );
    scrape(
      `${name}-monitor`,
      {
        namespace,
        serviceName: NAME,
        // The Service that the ServiceMonitor selects is called push-proxy; the metrics keep the job
        // `prom-gateway`.
        job: NAME,
        labels,
        ports: [PORT_NAME],
        endpoint: {
          // Keeps the label `job` of pushed series. They also keep the empty `instance` that the Pushgateway gives
          // them, instead of getting the target's `instance`.
          honorLabels: true,
          metricRelabelings: DROP_IMPOSTORS,
          basicAuth: password?.asBasicAuth(),
        },
        // Second scrape of the same port, for the proxy's own metrics. They have a separate path, so that they can be
        // read even if the Pushgateway's metrics can't, and pushes can't add metrics to them.
        more: {
          job: "push-proxy",
          endpoint: { path: "/-/push-proxy/metrics", basicAuth: password?.asBasicAuth() },
        },
        crds: args.operator.crds,
      },
      { parent: this },
    );

    this.credentials = password?.credentials;
    const login = password === undefined ? "" : pulumi.interpolate`${password.credentials}@`;
    this.url =
      args.exposure === "in-cluster" ? undefined : pulumi.interpolate`http://${login}${args.address}:${PORT}`;
    this.urlInCluster = pulumi.interpolate`http://${login}${service.metadata.name}.${namespace}:${PORT}`;
    this.registerOutputs({ url: this.url, urlInCluster: this.urlInCluster });
  }

  /** Creates the Service for clients. It selects the push queue's pods. */
  private serve(name: string, args: PushGatewayArgs, queue: Deployment): Service {
    const opts = workload(this, { dependsOn: [queue] });
    const serviceArgs = {
      serviceName: NAME,
      namespace: args.namespace,
      labels: pushQueueLabels(args.queueImage),
      ports: [{ name: PORT_NAME, number: PORT }],
    };
    if (args.exposure !== "in-cluster") {
      const { address, sourceRanges } = args;
      return internalService(`${name}-service`, { ...serviceArgs, address, sourceRanges }, opts);
    }
    return clusterService(`${name}-service`, serviceArgs, opts);
  }

  private podSpec(
    name: string,
    args: PushGatewayArgs,
    labels: Labels,
    claimName: pulumi.Input<string>,
    password: PushPassword | undefined,
  ) {
    const { namespace, priorityClassName, proxyImage: image, image: gatewayImage } = args;
    const proxy = pushProxy(
      `${name}-proxy`,
      {
        namespace,
        labels: labels.all,
        image,
        gatewayImage,
        port: { name: PORT_NAME, number: PORT },
        gatewayPort: GATEWAY_PORT,
        file: FILE,
        data: DATA,
        credentials: password?.asEnvironment(),
      },
      this,
    );
    return {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      priorityClassName,
      terminationGracePeriodSeconds: 60,
      tolerations: LOST_NODE,
      securityContext: runAs(65534),
      initContainers: [proxy.initContainer],
      containers: [proxy.container, gatewayContainer(args.image, password !== undefined)],
      volumes: [
        { name: DATA.name, persistentVolumeClaim: { claimName } },
        ...proxy.volumes,
        ...(password === undefined ? [] : [{ name: WEB_CONFIG.name, secret: password.asVolume() }]),
      ],
    };
  }
}

function gatewayContainer(image: string, auth: boolean) {
  // Probes have no password, so they go through the push proxy, which forwards them with the password. Therefore they
  // also fail if the proxy fails.
  const probe = { httpGet: { path: "/-/healthy", port: PORT }, timeoutSeconds: 5 };
  const ready = { httpGet: { path: "/-/ready", port: PORT }, timeoutSeconds: 5 };
  return {
    name: NAME,
    image,
    imagePullPolicy: "IfNotPresent",
    args: [
      `--web.listen-address=127.0.0.1:${GATEWAY_PORT}`,
      // Without this flag the Pushgateway stores nothing on its volume (helm-charts#5392).
      `--persistence.file=${FILE}`,
      `--persistence.interval=${PERSISTENCE_INTERVAL}`,
      // At lower levels, the Pushgateway logs each write of its persistence file.
      "--log.level=warn",
      ...(auth ? [`--web.config.file=${WEB_CONFIG.mountPath}/web.yml`] : []),
    ],
    // Each push creates some hundred kB of garbage. By default, Go collects garbage whenever the heap has doubled, at
    // first at 4 MiB. With GOGC=400, a push takes 10 % less CPU time, and the process 15 MiB more memory. Near
    // GOMEMLIMIT, Go collects garbage as often as necessary.
    env: [
      { name: "GOGC", value: "400" },
      { name: "GOMEMLIMIT", value: "384MiB" },
    ],
    startupProbe: { ...probe, periodSeconds: 1, failureThreshold: 120 },
    readinessProbe: { ...ready, periodSeconds: 5 },
    livenessProbe: { ...probe, periodSeconds: 30, failureThreshold: 4 },
    resources: { requests: { cpu: "20m", memory: "64Mi" }, limits: { memory: "512Mi" } },
    securityContext: RESTRICTED,
    volumeMounts: [DATA, ...(auth ? [{ ...WEB_CONFIG, readOnly: true }] : [])],
  };
}
