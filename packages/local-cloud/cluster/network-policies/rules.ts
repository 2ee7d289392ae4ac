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
import { subtractRanges } from "./ranges.ts";

/** Objects of the cluster that determine a node's rules. */
export interface ClusterState {
  policies: readonly V1NetworkPolicy[];
  pods: readonly V1Pod[];
  namespaces: readonly V1Namespace[];
}

/** iptables options and chain prefix of each policy type. */
const DIRECTIONS = {
  Egress: { own: "-s", other: "-d", chain: "NP-OUT-" },
  Ingress: { own: "-d", other: "-s", chain: "NP-IN-" },
} as const;

type Direction = keyof typeof DIRECTIONS;

/**
 * Returns a node's firewall rules in the format of `iptables-restore --noflush`: the NetworkPolicies of the node's pods
 * (kubernetes.io/docs/concepts/services-networking/network-policies). The rules are in the table `mangle`, in which
 * kube-proxy has no rules and whose chains FORWARD and INPUT come after kube-proxy's DNAT of Service addresses. As on
 * GKE, denied packets are dropped, so connections time out.
 *
 * Traffic from a node to its own pods does not traverse these chains, so the kubelet's probes are allowed, as
 * Kubernetes requires.
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
      // A pod can always connect to itself, also through a Service.
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
    // Egress policies also apply to connections from a pod to its node.
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

/** Returns the rules of one policy that allow traffic of one pod. */
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
      const ranges = subtractRanges(peer.ipBlock.cidr, peer.ipBlock.except ?? []);
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
 * Returns the peers of an ingress rule; undefined means all. Objects of a watch are plain JSON with the key `from`;
 * objects of the client's list methods have `_from` instead. If only one key were read, objects with the other one
 * would allow all peers.
 */
function sources(rule: V1NetworkPolicyIngressRule): V1NetworkPolicyPeer[] | undefined {
  return rule._from ?? (rule as { from?: V1NetworkPolicyPeer[] }).from;
}

/**
 * Returns iptables matches for a port of a network policy. If the port is a name, each port of the target pod with this
 * name has a match. If the pod has none, the list is empty, so nothing is allowed.
 */
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

/** Reports whether the labels match the selector. An absent or empty selector matches all labels. */
function matches(selector: V1LabelSelector | undefined, labels: Record<string, string> = {}): boolean {
  const exact = Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return exact && (selector?.matchExpressions ?? []).every((expression) => matchesExpression(expression));

  function matchesExpression({
    key,
    operator,
    values = [],
  }: {
    key: string;
    operator: string;
    values?: string[];
  }) {
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

/** Reports whether the pod has its own IP address and has not ended. */
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
