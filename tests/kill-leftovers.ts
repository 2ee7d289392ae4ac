import { readdirSync, readFileSync } from "node:fs";
import { isRunning, processId } from "../lib/process-id.ts";

/**
 * Environment variable that marks the processes of a test run: the {@link processId} of Vitest's main process. A test
 * that starts a background process with an environment of its own must pass the variable on.
 */
export const TEST_RUN = "K8SFV_TEST_RUN";
const MARK = new RegExp(`^${TEST_RUN}=(.+)$`, "m");

/**
 * Kills the processes that earlier test runs left behind because they were killed themselves. Marks this run, so that a
 * later run can find its processes, which inherit the environment.
 */
export default function setup(): void {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const run = MARK.exec(environment(pid))?.[1];
    if (run !== undefined && !isRunning(run)) kill(Number(pid));
  }
  process.env[TEST_RUN] = processId(process.pid);
}

/**
 * Kills a process. If it leads a process group, kills the whole group, because processes in it may lack the variable
 * TEST_RUN by which this module finds leftovers.
 */
function kill(pid: number): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, "SIGKILL");
    } catch {
      // The process has exited, or leads no group.
    }
  }
}

/** Returns a process's environment, one variable per line; "" if the process has exited. */
function environment(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").replaceAll("\0", "\n");
  } catch {
    return "";
  }
}
