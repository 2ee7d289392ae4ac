import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cloud } from "k8sfv-local-cloud";
import type { Measurement } from "./page.ts";

/** Names of the environment's programs in the command lines of their processes. */
const PROGRAMS = [
  "prometheus",
  "pushgateway",
  "grafana",
  "operator",
  "prometheus-config-reloader",
  "alertmanager",
  "push-proxy.mjs",
];

/** Clock ticks per second of utime and stime: USER_HZ, which is 100 on all supported architectures. */
const TICKS_PER_SECOND = 100;
/** Seconds over which CPU time at rest is measured. */
const REST_SECONDS = 60;

/**
 * Measures memory and CPU of the idle local cloud, including its pods. Memory is the proportional set size, in which
 * shared pages are divided among their processes.
 */
export async function measureRest(cloud: Cloud): Promise<Measurement[]> {
  const read = (pid: string, file: string) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
  const parents = new Map<string, string>();
  const commands = new Map<string, string>();
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    parents.set(pid, /^PPid:\s+(\d+)/m.exec(await read(pid, "status"))?.[1] ?? "");
    commands.set(pid, await read(pid, "cmdline"));
  }
  // The command lines of pods' processes don't contain the cloud's directory, but the command line of their
  // node's init process does.
  const isOurs = (pid = "0"): boolean =>
    pid !== "0" && ((commands.get(pid) ?? "").includes(cloud.dir) || isOurs(parents.get(pid)));
  const cpuSeconds = async (): Promise<number> => {
    const ticks = await Promise.all(
      [...commands.keys()].filter(isOurs).map(async (pid) => {
        // utime and stime are the 12th and 13th fields after the command, which is in parentheses (proc(5)).
        const fields = (await read(pid, "stat")).split(") ").at(-1)?.split(" ") ?? [];
        return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
      }),
    );
    return ticks.reduce((sum, ofOne) => sum + ofOne, 0) / TICKS_PER_SECOND;
  };
  const before = await cpuSeconds();
  await sleep(REST_SECONDS * 1000);
  const cpu = ((await cpuSeconds()) - before) / REST_SECONDS;
  let whole = 0;
  let pods = 0;
  for (const [pid, command] of commands) {
    if (!isOurs(pid)) continue;
    const kib = Number(/^Pss:\s+(\d+)/m.exec(await read(pid, "smaps_rollup"))?.[1] ?? 0);
    whole += kib;
    const inPod = (await read(pid, "cgroup")).includes(`:${cloud.cgroup}/`);
    const names = command.split("\0").map((word) => word.split("/").at(-1) ?? "");
    if (inPod && names.slice(0, 3).some((name) => PROGRAMS.includes(name))) pods += kib;
  }
  const mib = (kib: number) => `${Math.round(kib / 1024)} MiB`;
  return [
    {
      what: "memory of the local cloud at rest",
      result: mib(whole),
      aim: "≤ 1144 MiB (1.2 GB)",
      from: `${mib(pods)} of it in the environment's pods`,
      cure: "look for the largest processes; GOGC and GOMEMLIMIT limit Go programs",
    },
    {
      what: "CPU of the local cloud at rest",
      result: `${(cpu * 100).toFixed(1)} % of a core`,
      aim: "≤ 3 %",
      from: `all its processes, over ${REST_SECONDS} s`,
      cure: "look for a program that polls",
    },
  ];
}
