import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment.js";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap.js";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1/podDisruptionBudget.js";
import * as pulumi from "@pulumi/pulumi";
import { PUSH_QUEUE_METRICS_PORTS, WORKLOADS } from "../lib/workloads.ts";
import { labels, RESTRICTED, runAs, workload, WORKLOAD_TIMEOUTS, type Labels } from "./conventions.ts";
import { MAX_HOLD_SECONDS } from "./push-proxy/limits.ts";
import { METRICS_PORT_VARIABLE, PUSH_QUEUE_HEALTH_PATH, pushQueueConfig } from "./push-queue-config.ts";
import { scrape } from "./scrape.ts";
import { headlessService } from "./services.ts";

/** Arguments of the push queue. */
export interface PushQueueArgs {
  namespace: pulumi.Input<string>;
  priorityClassName: pulumi.Input<string>;
  /** Image with HAProxy 2.6 or newer as `haproxy`, whose stop signal is SIGUSR1. */
  image: string;
  /** Address and port of the push proxy's Service. */
  server: { host: pulumi.Input<string>; port: number };
  /** The CRDs that the ServiceMonitor needs. */
  crds: pulumi.Resource;
}

const { name: NAME, port: PORT } = WORKLOADS.pushQueue;
/** Name of the port for pushes, by which the Services lead to it. */
const PORT_NAME = "metrics";
/**
 * The containers of a pod, with a port each for metrics and probes. Both listen on PORT by SO_REUSEPORT: when the kernel
 * kills one, the other goes on accepting connections, which else would be refused until the kubelet has restarted it.
 */
const CONTAINERS = PUSH_QUEUE_METRICS_PORTS.map((number, index) => ({
  name: `haproxy-${index + 1}`,
  metrics: { name: `stats-${index + 1}`, number },
}));
const CONFIG = { name: "config", mountPath: "/etc/push-queue" };
/** User ID of `nobody`: HAProxy needs no user of its image. */
const USER = 65534;
/**
 * Time between the pod's removal from its Services and the end of its listener. Google's load balancer notices within 24 s
 * that a node has no pod (cloud.google.com/kubernetes-engine/docs/concepts/service-load-balancer-parameters).
 */
const DRAIN_SECONDS = 25;

/** Labels of the push queue's pods, and of the Services that lead to them. */
export function pushQueueLabels(image: string): Labels {
  return labels(NAME, "push-queue", image);
}

/**
 * Two replicas of HAProxy before the push proxy, on different nodes: they hold pushes while the Pushgateway's pod is away.
 *
 * @returns the Deployment, which the Services of the Pushgateway wait for
 */
export function pushQueue(name: string, args: PushQueueArgs, parent: pulumi.ComponentResource): Deployment {
  const { namespace, image, crds } = args;
  const tags = pushQueueLabels(image);
  const metadata = { name: NAME, namespace, labels: tags.all };
  const config = new ConfigMap(
    `${name}-config`,
    {
      // Pulumi names it, so another configuration is another name, and the Deployment replaces its pods.
      metadata: { namespace, labels: tags.all },
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
        selector: { matchLabels: tags.selector },
        template: { metadata: { labels: tags.all }, spec: podSpec(args, tags, config.metadata.name) },
      },
    },
    // On deletion the pods still answer the pushes that they hold.
    workload(parent, { customTimeouts: { ...WORKLOAD_TIMEOUTS, delete: "20m" } }),
  );
  new PodDisruptionBudget(
    `${name}-budget`,
    { metadata, spec: { minAvailable: 1, selector: { matchLabels: tags.selector } } },
    { parent },
  );
  headlessService(
    `${name}-metrics`,
    {
      serviceName: NAME,
      namespace,
      labels: tags,
      ports: CONTAINERS.map(({ metrics }) => metrics),
    },
    { parent },
  );
  scrape(
    `${name}-monitor`,
    {
      namespace,
      serviceName: NAME,
      labels: tags,
      port: "stats-1",
      endpoint: { metricRelabelings: [{ sourceLabels: ["__name__"], regex: KEPT, action: "keep" }] },
      replicaPorts: ["stats-2"],
      crds,
    },
    { parent },
  );
  return deployment;
}

/** The metrics that are stored: HAProxy has 300 series, and with each pod they are new ones. */
const KEPT =
  "haproxy_(backend_(current_queue|current_sessions|http_responses_total|retry_warnings_total)" +
  "|frontend_current_sessions|process_start_time_seconds)";

function podSpec(args: PushQueueArgs, tags: Labels, configName: pulumi.Input<string>) {
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
        // A drained or lost node doesn't count, so that both run on the other one meanwhile.
        nodeTaintsPolicy: "Honor",
        labelSelector: { matchLabels: tags.selector },
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
      // A port that two containers of a pod name is the first one's, as far as Services are concerned.
      ...(name === CONTAINERS[0]?.name ? [{ name: PORT_NAME, containerPort: PORT }] : []),
      { name: metrics.name, containerPort: metrics.number },
    ],
    startupProbe: { ...probe, periodSeconds: 1, failureThreshold: 60 },
    readinessProbe: { ...probe, periodSeconds: 5 },
    livenessProbe: { ...probe, periodSeconds: 30 },
    // Then the image's stop signal, SIGUSR1: HAProxy closes its listener and answers what it holds.
    lifecycle: { preStop: { sleep: { seconds: DRAIN_SECONDS } } },
    // With MAX_CLIENTS waiting: 16 MiB, and for each client 288 KiB of buffers and 128 KiB in the kernel.
    resources: { requests: { cpu: "10m", memory: "24Mi" }, limits: { memory: "96Mi" } },
    securityContext: RESTRICTED,
    volumeMounts: [{ ...CONFIG, readOnly: true }],
  };
}
