import type { Socket } from "node:net";
import { Writable } from "node:stream";
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
  /** How long to look for a ready pod, in ms. @default two minutes */
  waitMs?: number;
}

const POD_TIMEOUT_MS = 120_000;
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
      const found = pods.map((pod) => `${pod.name} (not ready)`).join(", ");
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
  return items.map((pod) => ({
    name: pod.metadata?.name ?? "",
    ready:
      pod.metadata?.deletionTimestamp === undefined &&
      (pod.status?.conditions ?? []).some(({ type, status }) => type === "Ready" && status === "True"),
  }));
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
