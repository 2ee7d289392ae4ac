import { readdir, readFile, readlink } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cloud } from "./cloud.ts";

/** A process of a local cloud, found by its arguments: the process list is the only record kept. */
export interface CloudProcess {
  pid: number;
  argv: string[];
}

/** Arguments that mark a process as one of the cloud's, in a role. */
export function marks(cloud: Cloud, role: string): string[] {
  return [`--cloud=${cloud.dir}`, `--role=${role}`];
}

/** All processes marked as the cloud's, or only those in `role`. */
export async function findProcesses(cloud: Cloud, role?: string): Promise<CloudProcess[]> {
  const wanted = role === undefined ? marks(cloud, "").slice(0, 1) : marks(cloud, role);
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid): Promise<CloudProcess[]> => {
      const argv = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
      return wanted.every((mark) => argv.includes(mark)) ? [{ pid: Number(pid), argv }] : [];
    }),
  );
  return found.flat();
}

/**
 * Ends the processes with SIGKILL and waits until the kernel has taken them all away.
 *
 * @throws Error when one is still there after `timeout` milliseconds (default 20,000)
 */
export async function killProcesses(processes: CloudProcess[], timeout = 20_000): Promise<void> {
  const deadline = Date.now() + timeout;
  for (let left = processes; left.length > 0; left = left.filter(({ pid }) => signal(pid, 0))) {
    if (Date.now() > deadline) {
      throw new Error(`These processes do not end: ${left.map(({ pid }) => pid).join(", ")}`);
    }
    for (const { pid } of left) signal(pid, "SIGKILL");
    await sleep(20);
  }
}

/** The process's namespace of that type, as the kernel names it, or undefined when it has ended. */
export async function namespaceOf(pid: number | "self", type: "net" | "pid"): Promise<string | undefined> {
  return readlink(`/proc/${pid}/ns/${type}`).catch(() => undefined);
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
    throw error;
  }
}
