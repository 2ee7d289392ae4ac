import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cloud } from "./cloud.ts";

/**
 * A process of a local cloud. Processes are found in /proc, by their arguments or their environment; no PID files are
 * kept.
 */
export interface CloudProcess {
  pid: number;
  argv: string[];
}

/** Returns the command-line arguments that mark a process as part of the cloud and name its role. */
export function markerArguments(cloud: Cloud, role: string): string[] {
  return [`--cloud=${cloud.dir}`, `--role=${role}`];
}

/** Finds the processes of the cloud that have the role; without `role`, all of them. */
export async function findProcesses(cloud: Cloud, role?: string): Promise<CloudProcess[]> {
  const wanted = role === undefined ? markerArguments(cloud, "").slice(0, 1) : markerArguments(cloud, role);
  return filter(await pids(), async (pid) => {
    const argv = await procFile(pid, "cmdline");
    return wanted.every((mark) => argv.includes(mark));
  });
}

/**
 * Finds the Pulumi engine's processes for this cloud, including its plugins and the program, by PULUMI_HOME
 * in their environment. Plugins may survive when the engine is killed.
 */
export async function findEngineProcesses(cloud: Cloud): Promise<CloudProcess[]> {
  const mark = `PULUMI_HOME=${cloud.pulumiHome}`;
  const others = (await pids()).filter((pid) => pid !== String(process.pid));
  return filter(others, async (pid) => (await procFile(pid, "environ")).includes(mark));
}

/**
 * Command that starts Node for a background program. The option limits V8's semi-spaces to 1 MiB each; by default, they
 * grow to 16 MiB and stay large when the program is idle.
 */
export const nodeCommand: readonly string[] = [process.execPath, "--max-semi-space-size=1"];

/**
 * Returns an environment without PULUMI_* variables, for processes that outlive the engine: otherwise {@link
 * findEngineProcesses} would find these processes too. It also limits glibc to one malloc arena, so that the processes
 * return more of their unused memory to the system.
 */
export function detachedEnvironment(): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith("PULUMI_"));
  return { ...Object.fromEntries(others), MALLOC_ARENA_MAX: "1" };
}

/**
 * Kills the processes with SIGKILL and waits until they are gone.
 *
 * @param timeout milliseconds
 * @throws Error when one still exists after the timeout
 */
export async function killProcesses(processes: CloudProcess[], timeout = 20_000): Promise<void> {
  const deadline = Date.now() + timeout;
  for (let left = processes; left.length > 0; left = left.filter(({ pid }) => signal(pid, 0))) {
    if (Date.now() > deadline) {
      throw new Error(`These processes still exist after SIGKILL: ${left.map(({ pid }) => pid).join(", ")}`);
    }
    for (const { pid } of left) signal(pid, "SIGKILL");
    await sleep(20);
  }
}

async function pids(): Promise<string[]> {
  return (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
}

/** Returns the NUL-separated strings of a file in /proc/PID, or one empty string if the process has exited. */
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
