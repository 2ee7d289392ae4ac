import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import type { Cloud } from "../cluster/index.ts";

/**
 * Returns the mounts, network interfaces, iptables rules, routes and named network namespaces of this computer. If a
 * local cloud leaves any behind, they differ from those before its start.
 */
export async function traces(): Promise<string[]> {
  const lines = async (file: string, ...args: string[]): Promise<string[]> =>
    (await execa(file, args)).stdout.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const mounts = (await readFile("/proc/self/mountinfo", "utf8"))
    .split("\n")
    .map((line) => line.split(" ")[4]);
  return [
    ...mounts.filter((mount) => mount !== undefined).map((mount) => `mount ${mount}`),
    ...(await lines("ip", "-oneline", "link")).map((line) => `interface ${line.split(":")[1]}`),
    ...(await lines("iptables-save")).map((line) => `rule ${line.replace(/\[.*\]/, "")}`),
    ...(await lines("ip", "route")).map((line) => `route ${line}`),
    ...(await readdir("/run/netns").catch(() => [])).map((name) => `namespace ${name}`),
  ].sort();
}

/** Returns the processes of a cloud, the files in its directory, and the cgroups of its containers. */
export async function tracesOf(cloud: Cloud): Promise<string[]> {
  const commands = await commandLines();
  const groups = await execa("find", ["/sys/fs/cgroup", "-ignore_readdir_race", "-type", "d"]);
  const folder = await readdir(cloud.dir).catch(() => []);
  return [
    ...commands.filter((command) => command.includes(cloud.dir)).map((command) => `process ${command}`),
    ...folder.map((name) => `file ${name}`),
    ...groups.stdout
      .split("\n")
      .filter((line) => line.split("/").includes(`k8sfv-cloud-${cloud.name}`))
      .map((line) => `cgroup ${line}`),
  ];
}

/** Watches the command lines of all processes until stopped, and returns those that contain `secret`. */
export function watchCommandLines(secret: string): { stop: () => Promise<string[]> } {
  const found = new Set<string>();
  const watch = { stopped: false };
  const watching = (async () => {
    while (!watch.stopped) {
      for (const command of await commandLines()) if (command.includes(secret)) found.add(command);
      await sleep(50);
    }
  })();
  return {
    async stop() {
      watch.stopped = true;
      await watching;
      return [...found];
    },
  };
}

async function commandLines(): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  return Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
}
