import { readdir, readFile } from "node:fs/promises";
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
  return filter(await pids(), async (pid) => {
    const argv = await procFile(pid, "cmdline");
    return wanted.every((mark) => argv.includes(mark));
  });
}

/**
 * The engine's processes on this cloud, its plugins and program among them: they carry its home in their
 * environment. One of them is left when the engine is killed.
 */
export async function findEngineProcesses(cloud: Cloud): Promise<CloudProcess[]> {
  const mark = `PULUMI_HOME=${cloud.pulumiHome}`;
  const others = (await pids()).filter((pid) => pid !== String(process.pid));
  return filter(others, async (pid) => (await procFile(pid, "environ")).includes(mark));
}

/** The environment of what lives on when the engine ends: without the mark that the engine's processes carry. */
export function outlivingEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PULUMI_")));
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

async function pids(): Promise<string[]> {
  return (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
}

/** The parts of a file of the process, none when it has ended meanwhile. */
async function procFile(pid: string, name: "cmdline" | "environ"): Promise<string[]> {
  return (await readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "")).split("\0");
}

async function filter(from: string[], matches: (pid: string) => Promise<boolean>): Promise<CloudProcess[]> {
  const found = await Promise.all(
    from.map(async (pid) =>
      (await matches(pid)) ? [{ pid: Number(pid), argv: await procFile(pid, "cmdline") }] : [],
    ),
  );
  return found.flat();
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
