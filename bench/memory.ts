import { readdir, readFile } from "node:fs/promises";
import type { Cloud } from "../local/cluster/index.ts";
import type { Measure } from "./main.ts";

/** The environment's own programs, by their command lines. */
const PROGRAMS = [
  "prometheus",
  "pushgateway",
  "grafana",
  "operator",
  "prometheus-config-reloader",
  "main.mjs",
];

/** What the environment's programs take, and all of the cloud's: shares of pages that several use are divided. */
export async function measureMemory(cloud: Cloud): Promise<Measure> {
  const groups = `k8sfv-cloud-${cloud.name}`;
  let whole = 0;
  let pods = 0;
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const read = (file: string) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
    const [command, group] = [await read("cmdline"), await read("cgroup")];
    if (!command.includes(cloud.dir) && !group.includes(groups)) continue;
    const kib = Number(/^Pss:\s+(\d+)/m.exec(await read("smaps_rollup"))?.[1] ?? 0);
    whole += kib;
    const [program = "", ...rest] = command.split("\0");
    const words = [program, ...rest.slice(0, 1)].map((word) => word.split("/").at(-1) ?? "");
    if (group.includes(groups) && words.some((word) => PROGRAMS.includes(word))) pods += kib;
  }
  const mib = (kib: number) => `${Math.round(kib / 1024)} MiB`;
  return {
    what: "memory of the environment's pods",
    result: mib(pods),
    aim: "",
    from: `${mib(whole)} with the cluster and the local cloud around it`,
  };
}
