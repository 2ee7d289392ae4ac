/** What one machine of 2 cores and 8 GB carries without swapping. */
export interface Budget {
  slots: number;
  memory: number;
}

interface Weighed {
  memory: number;
  seconds: number;
}

/**
 * Picks what to start next: the longest job that fits beside those running,
 * or undefined when none does. A job larger than the whole budget runs alone.
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
