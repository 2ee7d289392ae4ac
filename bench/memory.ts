import { readdir, readFile } from "node:fs/promises";
import type { Cloud } from "../local/cluster/index.ts";
import type { Measurement } from "./page.ts";

/** Names of the environment's programs in command lines. */
const PROGRAMS = [
  "prometheus",
  "pushgateway",
  "grafana",
  "operator",
  "prometheus-config-reloader",
  "main.mjs",
];

/** Measures the memory of the environment's programs and of the whole cloud as PSS, which divides shared pages. */
export async function measureMemory(cloud: Cloud): Promise<Measurement> {
  const read = (pid: string, file: string) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
  const parents = new Map<string, string>();
  const commands = new Map<string, string>();
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    parents.set(pid, /^PPid:\s+(\d+)/m.exec(await read(pid, "status"))?.[1] ?? "");
    commands.set(pid, await read(pid, "cmdline"));
  }
  // A process in a pod does not have the cloud's markers, but the host that started it does.
  const isOurs = (pid = "0"): boolean =>
    pid !== "0" && ((commands.get(pid) ?? "").includes(cloud.dir) || isOurs(parents.get(pid)));
  let whole = 0;
  let pods = 0;
  for (const [pid, command] of commands) {
    if (!isOurs(pid)) continue;
    const kib = Number(/^Pss:\s+(\d+)/m.exec(await read(pid, "smaps_rollup"))?.[1] ?? 0);
    whole += kib;
    const inPod = (await read(pid, "cgroup")).includes("/k8s.io/");
    const names = command.split("\0").map((word) => word.split("/").at(-1) ?? "");
    if (inPod && names.slice(0, 3).some((name) => PROGRAMS.includes(name))) pods += kib;
  }
  const mib = (kib: number) => `${Math.round(kib / 1024)} MiB`;
  return {
    what: "memory of the environment's pods (PSS)",
    result: mib(pods),
    aim: "",
    from: `${mib(whole)} including the cluster and the local cloud`,
  };
}
