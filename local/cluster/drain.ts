import { ApiException, type CoreV1Api, type V1Pod } from "@kubernetes/client-node";
import { setTimeout as sleep } from "node:timers/promises";

/** GKE waits up to an hour for pods to leave a node that goes; nobody waits so long on one machine. */
const drainTimeoutMs = 120_000;

/**
 * Keeps new pods off the node and evicts those on it, respecting disruption budgets. Pods that a daemon set
 * or the node itself keeps are left. After two minutes the rest is left too, as GKE does after an hour.
 */
export async function drainNode(api: CoreV1Api, name: string): Promise<void> {
  const node = await api.readNode({ name }).catch(() => undefined);
  if (node === undefined) return;
  await api.replaceNode({ name, body: { ...node, spec: { ...node.spec, unschedulable: true } } });
  const deadline = Date.now() + drainTimeoutMs;
  for (;;) {
    const { items } = await api.listPodForAllNamespaces({ fieldSelector: `spec.nodeName=${name}` });
    const left = items.filter(leaves);
    if (left.length === 0 || Date.now() > deadline) return;
    await Promise.all(
      left.filter(({ metadata }) => metadata?.deletionTimestamp === undefined).map((pod) => evict(api, pod)),
    );
    await sleep(500);
  }
}

function leaves({ metadata, status }: V1Pod): boolean {
  const kept =
    metadata?.ownerReferences?.some(({ kind }) => kind === "DaemonSet" || kind === "Node") ?? false;
  return !kept && status?.phase !== "Succeeded" && status?.phase !== "Failed";
}

async function evict(api: CoreV1Api, { metadata }: V1Pod): Promise<void> {
  const pod = { name: metadata?.name ?? "", namespace: metadata?.namespace ?? "" };
  try {
    await api.createNamespacedPodEviction({ ...pod, body: { metadata: pod } });
  } catch (error) {
    // 404: gone meanwhile; 429: a disruption budget says not yet.
    if (!(error instanceof ApiException && [404, 429].includes(error.code))) throw error;
  }
}
