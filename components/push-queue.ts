import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment.js";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap.js";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1/podDisruptionBudget.js";
import * as pulumi from "@pulumi/pulumi";
import { PUSH_QUEUE_METRICS_PORTS, WORKLOADS } from "../lib/workloads.ts";
import {
  RESTRICTED,
  runAs,
  workload,
  workloadLabels,
  WORKLOAD_TIMEOUTS,
  type Labels,
} from "./conventions.ts";
import { MAX_HOLD_SECONDS } from "./push-proxy/limits.ts";
import { METRICS_PORT_VARIABLE, PUSH_QUEUE_HEALTH_PATH, pushQueueConfig } from "./push-queue-config.ts";
import { scrape } from "./scrape.ts";
import { headlessService } from "./services.ts";

/** Arguments of the push queue. */
export interface PushQueueArgs {
  namespace: pulumi.Input<string>;
  priorityClassName: pulumi.Input<string>;
  /** Image of HAProxy 2.6 or newer, with the command `haproxy` and the stop signal SIGUSR1. */
  image: string;
  /** Address and port of the push proxy's Service. */
  server: { host: pulumi.Input<string>; port: number };
  /** The CRDs that the ServiceMonitor needs. */
  crds: pulumi.Resource;
}

const { name: NAME, port: PORT } = WORKLOADS.pushQueue;
/** Name of the port for pushes, which the Services select. */
const PORT_NAME = "metrics";
/**
 * The two containers of a pod. Both accept pushes on PORT (SO_REUSEPORT): if the kernel kills one process, the other
 * accepts connections until the kubelet has restarted the killed one. For metrics and probes, each has a port of its
 * own.
 */
const CONTAINERS = PUSH_QUEUE_METRICS_PORTS.map((number, index) => ({
  name: `haproxy-${index + 1}`,
  metrics: { name: `stats-${index + 1}`, number },
}));
const CONFIG = { name: "config", mountPath: "/etc/push-queue" };
/** User ID of `nobody`, because HAProxy doesn't need its image's user. */
const USER = 65534;
/**
 * Seconds between the pod's removal from its Services and the closing of its listener. Google's load balancer detects
 * within 24 s that a node has no pod
 * (cloud.google.com/kubernetes-engine/docs/concepts/service-load-balancer-parameters).
 */
const DRAIN_SECONDS = 25;

/** Returns the labels of the push queue's pods and of their Services. */
export function pushQueueLabels(image: string): Labels {
  return workloadLabels(NAME, "push-queue", image);
}

/**
 * Runs two replicas of HAProxy in front of the push proxy, on different nodes. The replicas hold pushes while the
 * Pushgateway's pod is down.
 *
 * @returns the Deployment, on which the Pushgateway's Services depend
 */
export function pushQueue(name: string, args: PushQueueArgs, parent: pulumi.ComponentResource): Deployment {
  const { namespace, image, crds } = args;
  const labels = pushQueueLabels(image);
  const metadata = { name: NAME, namespace, labels: labels.all };
  const config = new ConfigMap(
    `${name}-config`,
    {
      // The engine generates the ConfigMap's name, so a changed configuration gets a ConfigMap with a new name, and the
      // pods are replaced.
      metadata: { namespace, labels: labels.all },
      immutable: true,
      data: {
        "haproxy.cfg": pulumi.output(args.server.host).apply((host) =>
          pushQueueConfig({
            port: PORT,
            server: { host, port: args.server.port },
          }),
        ),
      },
    },
    { parent },
  );
  const deployment = new Deployment(
    `${name}-deployment`,
    {
      metadata,
      spec: {
        replicas: 2,
        strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        selector: { matchLabels: labels.selector },
        template: { metadata: { labels: labels.all }, spec: podSpec(args, labels, config.metadata.name) },
      },
    },
    // A deleted pod ends only when it has responded to the pushes that it holds, after up to 16 minutes.
    workload(parent, { customTimeouts: { ...WORKLOAD_TIMEOUTS, delete: "20m" } }),
  );
  new PodDisruptionBudget(
    `${name}-budget`,
    { metadata, spec: { minAvailable: 1, selector: { matchLabels: labels.selector } } },
    { parent },
  );
  headlessService(
    `${name}-metrics`,
    {
      serviceName: NAME,
      namespace,
      labels,
      ports: CONTAINERS.map(({ metrics }) => metrics),
    },
    { parent },
  );
  scrape(
    `${name}-monitor`,
    {
      namespace,
      serviceName: NAME,
      labels,
      ports: CONTAINERS.map(({ metrics }) => metrics.name),
      endpoint: { metricRelabelings: [{ sourceLabels: ["__name__"], regex: KEPT, action: "keep" }] },
      crds,
    },
    { parent },
  );
  return deployment;
}

/** Metrics that are stored. HAProxy exposes 300 series, and each new pod would start new series. */
const KEPT =
  "haproxy_(backend_(current_queue|current_sessions|http_responses_total|retry_warnings_total)" +
  "|frontend_current_sessions|process_start_time_seconds)";

function podSpec(args: PushQueueArgs, labels: Labels, configName: pulumi.Input<string>) {
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    priorityClassName: args.priorityClassName,
    terminationGracePeriodSeconds: DRAIN_SECONDS + MAX_HOLD_SECONDS + 35,
    securityContext: runAs(USER),
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: "kubernetes.io/hostname",
        whenUnsatisfiable: "DoNotSchedule",
        // Drained and lost nodes don't count, so that both replicas can run on one node if it is the only one left.
        nodeTaintsPolicy: "Honor",
        labelSelector: { matchLabels: labels.selector },
        matchLabelKeys: ["pod-template-hash"],
      },
    ],
    containers: CONTAINERS.map((which) => container(which, args.image)),
    volumes: [{ name: CONFIG.name, configMap: { name: configName } }],
  };
}

function container({ name, metrics }: (typeof CONTAINERS)[number], image: string) {
  const probe = { httpGet: { path: PUSH_QUEUE_HEALTH_PATH, port: metrics.name }, timeoutSeconds: 5 };
  return {
    name,
    image,
    imagePullPolicy: "IfNotPresent",
    command: ["haproxy"],
    args: ["-db", "-f", `${CONFIG.mountPath}/haproxy.cfg`],
    env: [{ name: METRICS_PORT_VARIABLE, value: `${metrics.number}` }],
    ports: [
      // Both containers listen on PORT (SO_REUSEPORT). Only the first one declares the port, which is enough for
      // Services to find it by its name.
      ...(name === CONTAINERS[0]?.name ? [{ name: PORT_NAME, containerPort: PORT }] : []),
      { name: metrics.name, containerPort: metrics.number },
    ],
    startupProbe: { ...probe, periodSeconds: 1, failureThreshold: 60 },
    readinessProbe: { ...probe, periodSeconds: 5 },
    livenessProbe: { ...probe, periodSeconds: 30 },
    // After this pause the kubelet sends SIGUSR1, the image's stop signal. HAProxy then closes its listener, and exits
    // when it has responded to the pushes that it holds.
    lifecycle: { preStop: { sleep: { seconds: DRAIN_SECONDS } } },
    // Memory with MAX_CLIENTS waiting clients: 16 MiB, and for each client 288 KiB of buffers and 128 KiB in the
    // kernel.
    resources: { requests: { cpu: "10m", memory: "24Mi" }, limits: { memory: "96Mi" } },
    securityContext: RESTRICTED,
    volumeMounts: [{ ...CONFIG, readOnly: true }],
  };
}
