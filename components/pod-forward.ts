import type { Socket } from "node:net";
import { Writable } from "node:stream";
import type { V1Pod } from "@kubernetes/client-node";
import type { Forward } from "./tunnel.ts";

/** The far end: the part used here of a WebSocket, whose types the client doesn't bring along. */
interface Remote {
  close(): void;
  onclose: (() => void) | null;
}

/** Which pod to reach. */
export interface PodForwardArgs {
  /** The kubeconfig, YAML. */
  kubeconfig: string;
  /** The namespace of the pod. */
  namespace: string;
  /** Labels of the pod; the first ready one is taken. */
  podLabels: Record<string, string>;
  /** The port in the pod. */
  port: number;
  /** How long to look for a ready pod, in ms. @default 20 s */
  waitMs?: number;
}

/**
 * The Deployment was waited for before, so a pod is ready or something is wrong. Less than the 30 s after
 * which Grafana's provider gives up a request: what is wrong has to be told before.
 */
const POD_TIMEOUT_MS = 20_000;
const POD_RETRY_MS = 1_000;

/** Forwards connections to a pod through the Kubernetes API, as `kubectl port-forward` does. */
export function forwardToPod(args: PodForwardArgs): Forward {
  return async (local) => {
    // Loaded here, since only a run that has work for Grafana needs it.
    const { CoreV1Api, KubeConfig, PortForward } = await import("@kubernetes/client-node");
    const config = new KubeConfig();
    config.loadFromString(args.kubeconfig);
    const pod = await readyPod(args, () => listPods(config.makeApiClient(CoreV1Api), args), args.waitMs);
    const remote = (await new PortForward(config).portForward(
      args.namespace,
      pod,
      [args.port],
      local,
      complain(local),
      local,
    )) as Remote;
    // Closed while the far end was still on its way: left open, it would keep the program alive for ever.
    if (local.destroyed) {
      remote.close();
      return;
    }
    local.on("close", () => {
      remote.close();
    });
    remote.onclose = () => {
      local.end();
    };
  };
}

/** A pod's name and whether it is ready. */
export interface PodState {
  /** Its name. */
  name: string;
  /** Whether it takes connections. */
  ready: boolean;
  /** Why it doesn't, as far as Kubernetes tells: "CrashLoopBackOff: back-off 5m0s restarting failed …". */
  why?: string;
}

/**
 * Waits for a ready pod.
 *
 * @throws Error that says what there was instead, after `timeoutMs`
 */
export async function readyPod(
  args: Pick<PodForwardArgs, "namespace" | "podLabels">,
  list: () => Promise<PodState[]>,
  timeoutMs = POD_TIMEOUT_MS,
  retryMs = POD_RETRY_MS,
): Promise<string> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const pods = await list();
    const ready = pods.find((pod) => pod.ready);
    if (ready !== undefined) return ready.name;
    if (Date.now() + retryMs > deadline) {
      const found = pods.map((pod) => `${pod.name} (${pod.why ?? "not ready"})`).join(", ");
      throw new Error(
        `in the namespace ${args.namespace} no pod with ${selector(args.podLabels)} got ready within ` +
          `${timeoutMs / 1000} s; there is ${found === "" ? "none" : found}. Look at: ` +
          `kubectl --namespace ${args.namespace} describe pods --selector ${selector(args.podLabels)}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}

type PodApi = InstanceType<(typeof import("@kubernetes/client-node"))["CoreV1Api"]>;

/** The pods with these labels. */
export async function listPods(
  api: PodApi,
  args: Pick<PodForwardArgs, "namespace" | "podLabels">,
): Promise<PodState[]> {
  const { items } = await api.listNamespacedPod({
    namespace: args.namespace,
    labelSelector: selector(args.podLabels),
  });
  return items.map(podState);
}

/** What a pod says of itself. */
export function podState({ metadata, status }: V1Pod): PodState {
  const conditions = status?.conditions ?? [];
  const ending = metadata?.deletionTimestamp !== undefined;
  const ready = !ending && conditions.some(({ type, status: is }) => type === "Ready" && is === "True");
  const waiting = (status?.containerStatuses ?? []).map(({ state, lastState }) =>
    sentence(state?.waiting?.reason, state?.waiting?.message ?? lastState?.terminated?.message),
  );
  const unmet = conditions
    .filter(({ status: is }) => is === "False")
    .map(({ reason, message }) => sentence(reason, message));
  const why = ending ? "being deleted" : [...waiting, ...unmet].find((text) => text !== "");
  return { name: metadata?.name ?? "", ready, ...(ready || why === undefined ? {} : { why }) };
}

function sentence(reason = "", message = ""): string {
  return [reason, message].filter((part) => part !== "").join(": ");
}

function selector(podLabels: Record<string, string>): string {
  return Object.entries(podLabels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}

/** Where the far end's errors go ("connection refused" in the pod): the connection is of no more use. */
function complain(local: Socket): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      // The first message of the stream is the port alone, which the client takes off: nothing is left.
      if (chunk.length > 0) local.destroy();
      done();
    },
  });
}
