import type { Socket } from "node:net";
import { Writable } from "node:stream";
import type { V1Pod } from "@kubernetes/client-node";
import type { Forward } from "./tunnel.ts";

/** The used part of a WebSocket, the connection to the pod. The client library doesn't export the WebSocket's types. */
interface Remote {
  close(): void;
  onclose: (() => void) | null;
}

/** Arguments of forwardToPod. */
export interface PodForwardArgs {
  /** Kubeconfig as YAML. */
  kubeconfig: string;
  /** Namespace of the pod. */
  namespace: string;
  /** Labels that select the pod. The first ready pod is used. */
  podLabels: Record<string, string>;
  /** Port of the pod. */
  port: number;
  /** Timeout in ms for finding a ready pod. @default 20,000 */
  waitMs?: number;
}

/**
 * Default timeout in ms for finding a ready pod. Callers wait for the Deployment first, so a pod is usually ready at
 * once. The timeout is shorter than the request timeout of Grafana's provider, 30 s, so that the user sees the reason
 * why no pod is ready instead of the provider's timeout.
 */
const POD_TIMEOUT_MS = 20_000;
const POD_RETRY_MS = 1_000;

/** Forwards connections to a pod through the Kubernetes API, as `kubectl port-forward` does. */
export function forwardToPod(args: PodForwardArgs): Forward {
  return async (local) => {
    // Imported here because only runs that connect to a pod need the library.
    const { CoreV1Api, KubeConfig, PortForward } = await import("@kubernetes/client-node");
    const config = new KubeConfig();
    config.loadFromString(args.kubeconfig);
    const pod = await readyPod(args, () => listPods(config.makeApiClient(CoreV1Api), args), args.waitMs);
    const remote = (await new PortForward(config).portForward(
      args.namespace,
      pod,
      [args.port],
      local,
      closeOnError(local),
      local,
    )) as Remote;
    // The client may have closed its connection in the meantime. An open WebSocket would keep the program running.
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

/** Name and readiness of a pod. */
export interface PodState {
  /** Name of the pod. */
  name: string;
  /** Whether the pod is ready and not being deleted. */
  ready: boolean;
  /** Kubernetes's reason why the pod isn't ready, e.g. "CrashLoopBackOff: back-off 5m0s restarting failed …". */
  why?: string;
}

/**
 * Waits for a ready pod and returns its name.
 *
 * @throws Error with the state of the pods, after `timeoutMs`
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
        `in namespace ${args.namespace} no pod with ${selector(args.podLabels)} became ready within ` +
          `${timeoutMs / 1000} s; found: ${found === "" ? "none" : found}. For details, run: ` +
          `kubectl --namespace ${args.namespace} describe pods --selector ${selector(args.podLabels)}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}

type PodApi = InstanceType<(typeof import("@kubernetes/client-node"))["CoreV1Api"]>;

/** Lists the pods with these labels. */
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

/** Returns whether a pod is ready and, if not, why. */
export function podState({ metadata, status }: V1Pod): PodState {
  const conditions = status?.conditions ?? [];
  const ending = metadata?.deletionTimestamp !== undefined;
  const ready = !ending && conditions.some(({ type, status: is }) => type === "Ready" && is === "True");
  const waiting = (status?.containerStatuses ?? []).map(({ state, lastState }) =>
    joinReason(state?.waiting?.reason, state?.waiting?.message ?? lastState?.terminated?.message),
  );
  const unmet = conditions
    .filter(({ status: is }) => is === "False")
    .map(({ reason, message }) => joinReason(reason, message));
  const why = ending ? "being deleted" : [...waiting, ...unmet].find((text) => text !== "");
  return { name: metadata?.name ?? "", ready, ...(ready || why === undefined ? {} : { why }) };
}

function joinReason(reason = "", message = ""): string {
  return [reason, message].filter((part) => part !== "").join(": ");
}

function selector(podLabels: Record<string, string>): string {
  return Object.entries(podLabels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}

/** Returns a stream for errors from the pod, such as "connection refused". An error closes the local connection. */
function closeOnError(local: Socket): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      // The API's first message on this stream is the port number, not an error. The client library removes the number,
      // so the chunk is empty.
      if (chunk.length > 0) local.destroy();
      done();
    },
  });
}
