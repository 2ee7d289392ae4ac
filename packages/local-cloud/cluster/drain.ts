import {
  ApiException,
  type CoreV1Api,
  PatchStrategy,
  setHeaderOptions,
  type V1Pod,
} from "@kubernetes/client-node";
import { setTimeout as sleep } from "node:timers/promises";

/** Timeout in milliseconds. GKE waits up to one hour, which is too long for a local test. */
const drainTimeoutMs = 120_000;

/**
 * Cordons the node and evicts its pods, respecting PodDisruptionBudgets. DaemonSet pods and static pods stay. Returns
 * when no other pods are left, or after two minutes.
 */
export async function drainNode(api: CoreV1Api, name: string): Promise<void> {
  const node = await api.readNode({ name }).catch(() => undefined);
  if (node === undefined) return;
  // A patch, because the kubelet and controllers change the node meanwhile, and a replacement of an older version fails.
  await api.patchNode(
    { name, body: { spec: { unschedulable: true } } },
    setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
  );
  const deadline = Date.now() + drainTimeoutMs;
  for (;;) {
    const { items } = await api.listPodForAllNamespaces({ fieldSelector: `spec.nodeName=${name}` });
    const left = items.filter(mustBeEvicted);
    if (left.length === 0 || Date.now() > deadline) return;
    await Promise.all(
      left.filter(({ metadata }) => metadata?.deletionTimestamp === undefined).map((pod) => evict(api, pod)),
    );
    await sleep(500);
  }
}

function mustBeEvicted({ metadata, status }: V1Pod): boolean {
  const kept =
    metadata?.ownerReferences?.some(({ kind }) => kind === "DaemonSet" || kind === "Node") ?? false;
  return !kept && status?.phase !== "Succeeded" && status?.phase !== "Failed";
}

async function evict(api: CoreV1Api, { metadata }: V1Pod): Promise<void> {
  const pod = { name: metadata?.name ?? "", namespace: metadata?.namespace ?? "" };
  try {
    await api.createNamespacedPodEviction({ ...pod, body: { metadata: pod } });
  } catch (error) {
    // 404: the pod is already deleted; 429: a PodDisruptionBudget does not allow the eviction yet.
    if (!(error instanceof ApiException && [404, 429].includes(error.code))) throw error;
  }
}
