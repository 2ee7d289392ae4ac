import type {
  V1LabelSelector,
  V1Namespace,
  V1NetworkPolicy,
  V1NetworkPolicyIngressRule,
  V1NetworkPolicyPeer,
  V1NetworkPolicyPort,
  V1Pod,
} from "@kubernetes/client-node";
import { createHash } from "node:crypto";
import { without } from "./ranges.ts";

/** What decides which packets pass. */
export interface ClusterState {
  policies: readonly V1NetworkPolicy[];
  pods: readonly V1Pod[];
  namespaces: readonly V1Namespace[];
}

/** A direction of a connection: how a policy, the rules of a node and a packet name it. */
const DIRECTIONS = {
  Egress: { own: "-s", other: "-d", chain: "NP-OUT-" },
  Ingress: { own: "-d", other: "-s", chain: "NP-IN-" },
} as const;

type Direction = keyof typeof DIRECTIONS;

/**
 * A node's firewall as `iptables-restore --noflush` takes it: what the cluster's network policies say about the
 * pods of that node (kubernetes.io/docs/concepts/services-networking/network-policies). It is in the table
 * `mangle`, which is asked after kube-proxy has put a pod in the place of a Service, and which kube-proxy does
 * not use itself. What is refused is dropped, as on GKE: a connection times out.
 *
 * A node's own traffic to its pods does not pass here: Kubernetes wants probes let through.
 */
export function nodeRules(state: ClusterState, node: string): string {
  const pods = state.pods.filter((pod) => isInNetwork(pod) && pod.spec?.nodeName === node);
  const isolated = pods.flatMap((pod) =>
    (["Egress", "Ingress"] as const)
      .map((direction) => ({ pod, direction, policies: policiesFor(state, pod, direction) }))
      .filter(({ policies }) => policies.length > 0),
  );
  const chains = isolated.map(({ pod, direction, policies }) => ({
    name: chainName(pod, direction),
    jump: `${DIRECTIONS[direction].own} ${addressOf(pod)} -j ${chainName(pod, direction)}`,
    direction,
    rules: [
      // A pod may always talk to itself, also by way of a Service.
      `${DIRECTIONS[direction].other} ${addressOf(pod)} -j RETURN`,
      ...policies.flatMap((policy) => allowed(state, policy, pod, direction)),
      "-j DROP",
    ],
  }));
  const known = "-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN";
  const lines = [
    "*mangle",
    ...["NP-FORWARD", "NP-INPUT", ...chains.map(({ name }) => name)].map((name) => `:${name} - [0:0]`),
    ...["NP-FORWARD", "NP-INPUT"].map((name) => `-A ${name} ${known}`),
    ...chains.map(({ jump }) => `-A NP-FORWARD ${jump}`),
    // To the node itself, its pods' connections out count too.
    ...chains.filter(({ direction }) => direction === "Egress").map(({ jump }) => `-A NP-INPUT ${jump}`),
    ...chains.flatMap(({ name, rules }) => rules.map((rule) => `-A ${name} ${rule}`)),
    "COMMIT",
  ];
  return `${lines.join("\n")}\n`;
}

function policiesFor(state: ClusterState, pod: V1Pod, direction: Direction): V1NetworkPolicy[] {
  return state.policies.filter(
    ({ metadata, spec }) =>
      metadata?.namespace === pod.metadata?.namespace &&
      matches(spec?.podSelector, pod.metadata?.labels) &&
      typesOf(spec).includes(direction),
  );
}

function typesOf(spec: V1NetworkPolicy["spec"]): string[] {
  return spec?.policyTypes ?? (spec?.egress === undefined ? ["Ingress"] : ["Ingress", "Egress"]);
}

/** The rules of one policy for one pod that let something pass. */
function allowed(state: ClusterState, policy: V1NetworkPolicy, pod: V1Pod, direction: Direction): string[] {
  const rules =
    direction === "Ingress"
      ? (policy.spec?.ingress ?? []).map((rule) => ({ peers: sources(rule), ports: rule.ports }))
      : (policy.spec?.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }));
  const { other } = DIRECTIONS[direction];
  return rules.flatMap(({ peers = [], ports = [] }) => {
    const ends = peers.length === 0 ? [{ match: "", pod: undefined }] : peers.flatMap((p) => peerEnds(p));
    return ends.flatMap((end) => {
      const target = direction === "Ingress" ? pod : end.pod;
      const matches = ports.length === 0 ? [""] : ports.flatMap((port) => portMatch(port, target));
      return matches.map((match) => [end.match, match, "-j RETURN"].filter((part) => part !== "").join(" "));
    });
  });

  function peerEnds(peer: V1NetworkPolicyPeer): { match: string; pod: V1Pod | undefined }[] {
    if (peer.ipBlock !== undefined) {
      const ranges = without(peer.ipBlock.cidr, peer.ipBlock.except ?? []);
      return ranges.map((range) => ({ match: `${other} ${range}`, pod: undefined }));
    }
    const namespaces = state.namespaces.filter(({ metadata }) =>
      peer.namespaceSelector === undefined
        ? metadata?.name === policy.metadata?.namespace
        : matches(peer.namespaceSelector, metadata?.labels),
    );
    return state.pods
      .filter(isInNetwork)
      .filter((end) => namespaces.some(({ metadata }) => metadata?.name === end.metadata?.namespace))
      .filter((end) => matches(peer.podSelector, end.metadata?.labels))
      .map((end) => ({ match: `${other} ${addressOf(end)}`, pod: end }));
  }
}

/**
 * Whom a rule lets in; everybody when it doesn't say. What a watch brings is JSON as it is, and has `from`: only what
 * the client has listed has its own name for it. With the other one alone, everybody was let in.
 */
function sources(rule: V1NetworkPolicyIngressRule): V1NetworkPolicyPeer[] | undefined {
  return rule._from ?? (rule as { from?: V1NetworkPolicyPeer[] }).from;
}

/** A port as a rule's match; none when its name is not one of the target's. */
function portMatch({ port, endPort, protocol = "TCP" }: V1NetworkPolicyPort, target?: V1Pod): string[] {
  const kind = `-p ${protocol.toLowerCase()}`;
  if (port === undefined) return [kind];
  if (typeof port === "number") {
    return [`${kind} --dport ${endPort === undefined ? port : `${port}:${endPort}`}`];
  }
  const named = (target?.spec?.containers ?? [])
    .flatMap(({ ports = [] }) => ports)
    .filter((of) => of.name === port && (of.protocol ?? "TCP") === protocol);
  return named.map(({ containerPort }) => `${kind} --dport ${containerPort}`);
}

/** Whether a selector selects these labels; an absent or empty one selects all. */
function matches(selector: V1LabelSelector | undefined, labels: Record<string, string> = {}): boolean {
  const exact = Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return exact && (selector?.matchExpressions ?? []).every((expression) => fulfils(expression));

  function fulfils({ key, operator, values = [] }: { key: string; operator: string; values?: string[] }) {
    const value = labels[key];
    switch (operator) {
      case "In":
        return value !== undefined && values.includes(value);
      case "NotIn":
        return value === undefined || !values.includes(value);
      case "Exists":
        return value !== undefined;
      default:
        return value === undefined;
    }
  }
}

/** Whether the pod has an address of its own that may be in use. */
function isInNetwork({ spec, status }: V1Pod): boolean {
  const ended = status?.phase === "Succeeded" || status?.phase === "Failed";
  return spec?.hostNetwork !== true && status?.podIP !== undefined && !ended;
}

function addressOf({ status }: V1Pod): string {
  return `${status?.podIP ?? ""}/32`;
}

function chainName({ metadata }: V1Pod, direction: Direction): string {
  const hash = createHash("sha256")
    .update(metadata?.uid ?? "")
    .digest("hex");
  return `${DIRECTIONS[direction].chain}${hash.slice(0, 16)}`;
}
