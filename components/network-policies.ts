import { isIPv4 } from "node:net";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1/networkPolicy.js";
import * as pulumi from "@pulumi/pulumi";
import type { PushGatewayConfig } from "../config/schema.ts";
import { PUSH_QUEUE_METRICS_PORTS, WORKLOADS } from "../lib/workloads.ts";

/** Arguments of the NetworkPolicies component. */
export interface NetworkPoliciesArgs extends Pick<PushGatewayConfig, "exposure"> {
  /** Namespace of the policies. */
  namespace: pulumi.Input<string>;
  /**
   * IPv4 ranges outside the cluster that may connect to Prometheus and Grafana, and to the push queue unless `exposure`
   * is "in-cluster".
   */
  sourceRanges: string[];
  /** IPv4 ranges of the Kubernetes API server. */
  apiRanges: string[];
  /**
   * IPv4 range of the cluster's Services. NodeLocal DNSCache listens on an address of this range, in the host network.
   */
  serviceRange: string;
  /** Felix processes that Prometheus scrapes, as "HOST:PORT". @default none */
  felixTargets?: string[];
  /** URLs of the remote-write receivers. @default none */
  writeUrls?: string[];
  /** URL of the long-term store that Grafana queries. @default none */
  readUrl?: string;
  /** URLs to which Alertmanager sends messages. */
  alertUrls: pulumi.Input<string>[];
}

/** Ranges of Google's load balancers and health checks (cloud.google.com/load-balancing/docs/health-checks). */
const GOOGLE_PROXIES = ["130.211.0.0/22", "35.191.0.0/16"];
/** Addresses of NodeLocal DNSCache and of Google's DNS server. */
const DNS_ADDRESSES = ["169.254.20.10/32", "169.254.169.254/32"];
const API_PORT = 443;
const DNS_PORT = 53;

type Peer = object;
type WorkloadName = keyof typeof WORKLOADS;

/**
 * Allowed connections of a workload: the peers in `from` may connect to its port, and it may connect to the peers in
 * `to`.
 */
interface Flows {
  from: Peer[];
  /**
   * Allowed connections to further ports of the workload, besides the port that lib/workloads.ts defines. @default none
   */
  also?: { from: Peer[]; ports: object[] }[];
  to: { peers: Peer[]; ports: object[] }[];
}

/**
 * Denies all connections into and out of the namespace except the ones in `flows`. Connections from a pod's own node
 * (probes, port-forwards) need no rule, because network policies never block them.
 */
export class NetworkPolicies extends pulumi.ComponentResource {
  constructor(name: string, args: NetworkPoliciesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:kubernetes:NetworkPolicies", name, {}, opts);
    const { namespace } = args;
    new NetworkPolicy(
      `${name}-default`,
      {
        metadata: { name: "default-deny", namespace },
        spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
      },
      { parent: this },
    );
    for (const [workload, { from, also = [], to }] of Object.entries<Flows>(flows(args))) {
      const { name: pods, port } = WORKLOADS[workload as WorkloadName];
      new NetworkPolicy(
        `${name}-${pods}`,
        {
          metadata: { name: pods, namespace },
          spec: {
            ...podsNamed(pods),
            policyTypes: ["Ingress", "Egress"],
            ingress: [{ from, ports: [tcp(port)] }, ...also],
            egress: to.map(({ peers, ports }) => ({ to: peers, ports })),
          },
        },
        { parent: this },
      );
    }
    this.registerOutputs({});
  }
}

function flows(args: NetworkPoliciesArgs) {
  const {
    sourceRanges,
    apiRanges,
    serviceRange,
    exposure,
    felixTargets = [],
    writeUrls = [],
    readUrl,
    alertUrls,
  } = args;
  const outside = ranges(sourceRanges);
  const prometheus = podsNamed(WORKLOADS.prometheus.name);
  const grafana = podsNamed(WORKLOADS.grafana.name);
  const api = { peers: ranges(apiRanges), ports: [tcp(API_PORT)] };
  const port = (workload: WorkloadName) => [tcp(WORKLOADS[workload].port)];
  const scraped = (workload: WorkloadName) => ({
    peers: [podsNamed(WORKLOADS[workload].name)],
    ports: port(workload),
  });
  const pushers = {
    internal: outside,
    external: [...outside, ...ranges(GOOGLE_PROXIES)],
    "in-cluster": [],
  }[exposure];
  return {
    operator: { from: [prometheus], to: [api] },
    prometheus: {
      from: [...outside, grafana, prometheus],
      to: [
        api,
        scraped("operator"),
        scraped("prometheus"),
        scraped("alertmanager"),
        scraped("pushGateway"),
        { ...scraped("pushQueue"), ports: PUSH_QUEUE_METRICS_PORTS.map(tcp) },
        scraped("grafana"),
        ...felix(felixTargets, outside),
        ...writeUrls.map(toUrl),
        ...([...felixTargets, ...writeUrls.map(hostOf)].every(isAddress) ? [] : [dns(serviceRange)]),
      ],
    },
    alertmanager: {
      from: [grafana, prometheus],
      to: alertUrls.length === 0 ? [] : [dns(serviceRange), ...alertUrls.map(anywhere)],
    },
    pushQueue: {
      // CI jobs in the cluster may push from any namespace.
      from: [...pushers, { namespaceSelector: {} }],
      also: [{ from: [prometheus], ports: PUSH_QUEUE_METRICS_PORTS.map(tcp) }],
      to: [scraped("pushGateway")],
    },
    pushGateway: { from: [podsNamed(WORKLOADS.pushQueue.name), prometheus], to: [] },
    grafana: {
      from: [...outside, prometheus],
      to: [
        dns(serviceRange),
        scraped("prometheus"),
        scraped("alertmanager"),
        ...(readUrl === undefined ? [] : [toUrl(readUrl)]),
      ],
    },
  } satisfies Record<WorkloadName, Flows>;
}

/**
 * Allows connections to each Felix target: to its IPv4 address, or, if the target has a host name, to its port in all
 * ranges of CI machines, because network policies don't support host names.
 */
function felix(targets: string[], outside: Peer[]) {
  return targets.map((target) => {
    const [host = "", port] = target.split(":");
    return { peers: isIPv4(host) ? ranges([`${host}/32`]) : outside, ports: [tcp(Number(port))] };
  });
}

/** Returns whether the host of "HOST" or "HOST:PORT" is an IPv4 address. */
function isAddress(target: string): boolean {
  return isIPv4(target.replace(/:[0-9]+$/, ""));
}

function hostOf(url: string): string {
  return new URL(url).host;
}

function podsNamed(name: string) {
  return { podSelector: { matchLabels: { "app.kubernetes.io/name": name } } };
}

function ranges(cidrs: string[]): Peer[] {
  return cidrs.map((cidr) => ({ ipBlock: { cidr } }));
}

/** Allows connections to the host and port of a URL, or to the port on any address if the host is a name. */
function toUrl(url: string) {
  const { hostname } = new URL(url);
  return isIPv4(hostname) ? { peers: ranges([`${hostname}/32`]), ports: [tcp(portOf(url))] } : anywhere(url);
}

/** Allows connections to a URL's port on any address: network policies don't support names, and addresses change. */
function anywhere(url: pulumi.Input<string>) {
  // The URL may be a secret; its port is not.
  return { peers: [], ports: [tcp(pulumi.unsecret(pulumi.output(url).apply(portOf)))] };
}

/** Returns the port of a URL. */
export function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  if (port !== "") return Number(port);
  return protocol === "https:" ? 443 : 80;
}

function tcp(port: pulumi.Input<number>) {
  return { protocol: "TCP", port };
}

/**
 * Allows DNS queries. With Calico, NodeLocal DNSCache (default since GKE 1.34.1-gke.3720000) listens on the ClusterIP
 * of kube-dns in the node's host network, so no pod selector matches it.
 */
function dns(serviceRange: string) {
  const pods = {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
    podSelector: {
      matchExpressions: [{ key: "k8s-app", operator: "In", values: ["kube-dns", "node-local-dns"] }],
    },
  };
  const ports = [{ protocol: "UDP", port: DNS_PORT }, tcp(DNS_PORT)];
  return { peers: [pods, ...ranges([...DNS_ADDRESSES, serviceRange])], ports };
}
