import { isIPv4 } from "node:net";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1/networkPolicy.js";
import * as pulumi from "@pulumi/pulumi";
import { WORKLOADS } from "../workloads.ts";

/** What the network policies need to know. */
export interface NetworkPoliciesArgs {
  /** The namespace they hold in. */
  namespace: pulumi.Input<string>;
  /** IPv4 ranges that may connect from outside the cluster, to the reserved addresses. */
  sourceRanges: string[];
  /** IPv4 ranges that the Kubernetes API may answer from. */
  apiRanges: string[];
  /** IPv4 range of the cluster's Services: NodeLocal DNSCache answers on the address of one, from the host network. */
  serviceRange: string;
  /** Whether pushes come from outside at all, and through Google's proxies too. */
  exposure: "internal" | "external" | "in-cluster";
  /** Each Felix that Prometheus scrapes, as "HOST:PORT". @default none */
  felixTargets?: string[];
  /** URLs that Prometheus sends samples to. @default none */
  writeUrls?: string[];
  /** URL of the store that Grafana reads besides Prometheus. @default none */
  readUrl?: string;
  /** Where Alertmanager sends messages. */
  alertUrls: pulumi.Input<string>[];
}

/** Google's proxies, which also ask whether all is well (cloud.google.com/load-balancing/docs/health-checks). */
const GOOGLE_PROXIES = ["130.211.0.0/22", "35.191.0.0/16"];
/** Addresses of NodeLocal DNSCache and of Google's own DNS. */
const DNS_ADDRESSES = ["169.254.20.10/32", "169.254.169.254/32"];
const API_PORT = 443;
const DNS_PORT = 53;

type Peer = object;
type WorkloadName = keyof typeof WORKLOADS;

/** Everything that is let through: into a workload's own port, and out of the workload. */
interface Flows {
  from: Peer[];
  to: { peers: Peer[]; ports: object[] }[];
}

/**
 * Nothing goes into the namespace or out of it but the flows written down here. What a pod's own node asks
 * of it (probes, port-forwards) can't be forbidden by a policy, and isn't mentioned.
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
    for (const [workload, { from, to }] of Object.entries(flows(args))) {
      const { name: pods, port } = WORKLOADS[workload as WorkloadName];
      new NetworkPolicy(
        `${name}-${pods}`,
        {
          metadata: { name: pods, namespace },
          spec: {
            ...podsNamed(pods),
            policyTypes: ["Ingress", "Egress"],
            ingress: [{ from, ports: [tcp(port)] }],
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
    // Jobs of CI push from any namespace.
    pushGateway: { from: [...pushers, prometheus, { namespaceSelector: {} }], to: [] },
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
 * To the port of each Felix: at its address alone, or, since a policy knows no names, within the ranges of the machines
 * that may push.
 */
function felix(targets: string[], outside: Peer[]) {
  return targets.map((target) => {
    const [host = "", port] = target.split(":");
    return { peers: isIPv4(host) ? ranges([`${host}/32`]) : outside, ports: [tcp(Number(port))] };
  });
}

/** Whether "HOST" or "HOST:PORT" has an IPv4 address as host. */
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

/** Egress to the host and port of a URL; with a name as host, to the port anywhere. */
function toUrl(url: string) {
  const { hostname } = new URL(url);
  return isIPv4(hostname) ? { peers: ranges([`${hostname}/32`]), ports: [tcp(portOf(url))] } : anywhere(url);
}

/** To the port of a URL: no policy knows names, and addresses of others change. */
function anywhere(url: pulumi.Input<string>) {
  // A URL may be a secret; its port is none.
  return { peers: [], ports: [tcp(pulumi.unsecret(pulumi.output(url).apply(portOf)))] };
}

/** The port that a URL leads to. */
export function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  if (port !== "") return Number(port);
  return protocol === "https:" ? 443 : 80;
}

function tcp(port: pulumi.Input<number>) {
  return { protocol: "TCP", port };
}

/**
 * DNS. With Calico, NodeLocal DNSCache (on by default from GKE 1.34.1-gke.3720000) answers on the ClusterIP of
 * kube-dns itself, from the node's host network: no pod selector covers it.
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
