import { CoreV1Api } from "@kubernetes/client-node";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cloud } from "k8sfv-local-cloud";
import { kubeConfig, namespace } from "./pods.ts";

/** Resource usage of a container. */
export interface Usage {
  /** CPU usage in millicores. */
  cpu: number;
  /** Working set in MiB, which counts against the memory limit. */
  mib: number;
}

/** Fields of the kubelet's summary that this file reads. */
interface Summary {
  pods: {
    podRef: { namespace: string };
    containers: {
      name: string;
      cpu?: { usageNanoCores?: number };
      memory?: { workingSetBytes?: number };
    }[];
  }[];
}

/** Returns the latest usage of the workloads' containers from the kubelets, by container name. */
export async function usage(cloud: Cloud): Promise<Map<string, Usage>> {
  const core = kubeConfig(cloud).makeApiClient(CoreV1Api);
  const found = new Map<string, Usage>();
  for (const { metadata } of (await core.listNode()).items) {
    const node = { name: metadata?.name ?? "", path: "stats/summary" };
    // The client declares a string as the result but returns the parsed JSON.
    const { pods } = (await core.connectGetNodeProxyWithPath(node)) as unknown as Summary;
    const workloadPods = pods.filter(({ podRef }) => podRef.namespace === namespace);
    for (const { name, cpu, memory } of workloadPods.flatMap(({ containers }) => containers)) {
      const mib = (memory?.workingSetBytes ?? 0) / 2 ** 20;
      // If several containers have this name, the highest usage counts.
      const other = found.get(name) ?? { cpu: 0, mib: 0 };
      const most = Math.max(other.cpu, (cpu?.usageNanoCores ?? 0) / 1e6);
      found.set(name, { cpu: most, mib: Math.max(other.mib, mib) });
    }
  }
  return found;
}

/** Returns the maximum usage of each container during some work, sampled every 5 s. */
export async function usageDuring(cloud: Cloud, work: Promise<unknown>): Promise<Map<string, Usage>> {
  const most = new Map<string, Usage>();
  const end = work.then(() => "over");
  do {
    for (const [name, { cpu, mib }] of await usage(cloud)) {
      const before = most.get(name) ?? { cpu: 0, mib: 0 };
      most.set(name, { cpu: Math.max(cpu, before.cpu), mib: Math.max(mib, before.mib) });
    }
  } while ((await Promise.race([sleep(5_000), end])) !== "over");
  return most;
}
