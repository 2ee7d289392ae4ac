import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api, KubeConfig, type V1Pod } from "@kubernetes/client-node";
import { execa } from "execa";
import { type Cloud, commandIn } from "k8sfv-local-cloud";

/** Namespace of the workloads. */
export const namespace = "monitoring";

/** Returns a kubeconfig with all permissions. */
export function kubeConfig(cloud: Cloud): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(cloud.adminKubeconfig);
  return config;
}

/** Returns the only pod of a workload. @throws Error if there is none or more than one */
export async function podOf(cloud: Cloud, name: string, where = namespace): Promise<V1Pod> {
  const labelSelector = where === namespace ? `app.kubernetes.io/name=${name}` : `k8s-app=${name}`;
  const core = kubeConfig(cloud).makeApiClient(CoreV1Api);
  const { items } = await core.listNamespacedPod({ namespace: where, labelSelector });
  const [pod, ...more] = items.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
  if (pod === undefined || more.length > 0) {
    throw new Error(`${more.length + (pod === undefined ? 0 : 1)} pods of ${name} instead of one`);
  }
  return pod;
}

/** Returns the sorted UIDs of all workloads' pods that run and are not terminating. */
export async function podIds(cloud: Cloud): Promise<string[]> {
  const core = kubeConfig(cloud).makeApiClient(CoreV1Api);
  const { items } = await core.listNamespacedPod({ namespace });
  const running = items.filter(
    ({ metadata, status }) => status?.phase === "Running" && metadata?.deletionTimestamp === undefined,
  );
  return running.map(({ metadata }) => metadata?.uid ?? "").sort();
}

/** Returns the pods of a workload that are not terminating. */
export async function podsOf(cloud: Cloud, name: string): Promise<V1Pod[]> {
  const core = kubeConfig(cloud).makeApiClient(CoreV1Api);
  const labelSelector = `app.kubernetes.io/name=${name}`;
  const { items } = await core.listNamespacedPod({ namespace, labelSelector });
  return items.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
}

/** Waits until the workload has exactly one pod and that pod is ready. */
export async function untilReady(cloud: Cloud, name: string, timeoutMs = 240_000): Promise<V1Pod> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const pod = await podOf(cloud, name).catch(() => undefined);
    const ready = pod?.status?.conditions?.find(({ type }) => type === "Ready");
    if (pod !== undefined && ready?.status === "True") return pod;
    if (Date.now() > deadline) throw new Error(`${name} is not ready after ${timeoutMs / 1000} s`);
    await sleep(250);
  }
}

/** Returns the processes of a pod's containers with their IDs in this computer's PID namespace. */
export async function processesOf({ status }: V1Pod): Promise<{ pid: number; argv: string[] }[]> {
  // A container that never started has no ID. It is left out, because an empty ID would match every process.
  const ids = (status?.containerStatuses ?? [])
    .map(({ containerID = "" }) => containerID.split("//")[1] ?? "")
    .filter((id) => id !== "");
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const cgroup = await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "");
      const argv = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
      return ids.some((id) => cgroup.includes(id)) ? [{ pid: Number(pid), argv }] : [];
    }),
  );
  return found.flat();
}

/** Returns the process IDs of a workload's pod in this computer's PID namespace. */
export async function pidsOf(cloud: Cloud, name: string): Promise<number[]> {
  return (await processesOf(await podOf(cloud, name))).map(({ pid }) => pid);
}

/**
 * Kills the process of a workload's pod whose command contains `word`, to emulate a crash.
 *
 * @throws Error unless there is exactly one such process
 */
export async function kill(cloud: Cloud, name: string, word: string): Promise<void> {
  const processes = await processesOf(await podOf(cloud, name));
  const [victim, ...more] = processes.filter(({ argv }) => argv.slice(0, 3).join(" ").includes(word));
  if (victim === undefined || more.length > 0) {
    throw new Error(
      `${more.length + (victim ? 1 : 0)} of ${JSON.stringify(processes)} match "${word}" instead of one`,
    );
  }
  process.kill(victim.pid, "SIGKILL");
}

/** Returns whether a connection from a pod succeeds. */
export async function connects(pod: V1Pod, host: string, port: number): Promise<boolean> {
  const [inside] = await processesOf(pod);
  if (inside === undefined) throw new Error(`${pod.metadata?.name} has no running process`);
  return connectsIn(["nsenter", "--target", String(inside.pid), "--net", "--"], host, port);
}

/** Returns whether a connection from a host of the local cloud succeeds. */
export async function hostConnects(cloud: Cloud, from: string, host: string, port: number): Promise<boolean> {
  return connectsIn(await commandIn(cloud, from, [], "network"), host, port);
}

async function connectsIn([file = "", ...args]: string[], host: string, port: number): Promise<boolean> {
  // A connection that takes longer than 2 s counts as blocked. The timeout allows for one lost packet, which the kernel
  // resends after 1 s.
  const command = ["timeout", "2", "bash", "-c", `exec 3<>/dev/tcp/${host}/${port}`];
  const { exitCode } = await execa(file, [...args, ...command], { reject: false });
  return exitCode === 0;
}
