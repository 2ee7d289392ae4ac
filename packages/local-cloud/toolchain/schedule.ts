/** Limits of parallel builds: number of builds, and memory in GB. */
export interface Budget {
  slots: number;
  memory: number;
}

interface Weighed {
  memory: number;
  seconds: number;
}

/**
 * Returns the waiting build to start next: the longest one whose memory is available next to the running builds, or
 * undefined if there is none. A build that needs more memory than the whole budget runs alone.
 */
export function pickNext<T extends Weighed>(
  waiting: readonly T[],
  running: readonly T[],
  budget: Budget,
): T | undefined {
  if (running.length >= budget.slots) return undefined;
  const used = running.reduce((sum, job) => sum + job.memory, 0);
  return [...waiting]
    .sort((a, b) => b.seconds - a.seconds)
    .find((job) => running.length === 0 || used + job.memory <= budget.memory);
}
