import { readFileSync } from "node:fs";

/**
 * Identifies a process by its PID and start time, as PID-START_TIME, so that a reused PID is recognized. Returns
 * undefined if the process doesn't exist, or on a computer without /proc.
 */
export function processId(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Start time is field 22 of proc_pid_stat(5). Field 2, in parentheses, may contain spaces.
    return `${pid}-${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""}`;
  } catch {
    return undefined;
  }
}

/** Returns whether the process with this {@link processId} still exists. */
export function isRunning(id: string): boolean {
  return processId(Number.parseInt(id, 10)) === id;
}
