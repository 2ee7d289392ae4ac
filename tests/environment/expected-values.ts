import type { Frame } from "../../lib/panels.ts";
import { type HistoryRun, recordedAt } from "k8sfv-local-cloud";

/** Returns the runs of each code level in order of time. */
export function byLevel(runs: HistoryRun[]): Map<string, HistoryRun[]> {
  const levels = new Map<string, HistoryRun[]>();
  for (const run of runs) levels.set(run.codeLevel, [...(levels.get(run.codeLevel) ?? []), run]);
  return levels;
}

/** Returns the labels of a frame's series. */
export function labelsOf(frame: Frame): Record<string, string> {
  return frame.columns.at(-1)?.labels ?? {};
}

/** Returns the values of a frame's series. */
export function valuesOf(frame: Frame): number[] {
  return (frame.columns.at(-1)?.values ?? []) as number[];
}

/** Returns the only frame of a code level. */
export function oneOf(frames: Frame[], level: string): Frame {
  const [found, ...more] = frames.filter((frame) => labelsOf(frame).code_level === level);
  if (found === undefined || more.length > 0)
    throw new Error(`${frames.length} frames instead of one of ${level}`);
  return found;
}

/** Returns the time and value of each point. */
export function points(frame: Frame): [number, number][] {
  return valuesOf(frame).map((value, at) => [Number(frame.columns[0]?.values[at]), value]);
}

/**
 * Returns the points that a panel must show. Each point combines the runs that were recorded since the
 * previous point.
 *
 * @param of - returns a run's value
 * @param together - combines the values of the runs of one point
 */
export function expected(
  frame: Frame,
  runs: HistoryRun[],
  of: (run: HistoryRun) => number,
  together: (values: number[], runs: HistoryRun[]) => number,
): [number, number][] {
  const at = (run: HistoryRun) => Math.ceil(recordedAt(run) / frame.step) * frame.step;
  const times = [...new Set(runs.map(at))].filter((time) => time <= Number(frame.columns[0]?.values.at(-1)));
  return times.map((time) => {
    const mine = runs.filter((run) => at(run) === time);
    return [time, together(mine.map(of), mine)];
  });
}

export function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Returns a function that combines runs, for the last parameter of {@link expected}. The function adds up the lowest
 * result of each test in the runs; a run without the test counts as 1.
 *
 * @param all - runs, of which the first contains every test
 */
export function worstSum(all: HistoryRun[]) {
  const tests = Object.keys(all[0]?.results ?? {});
  return (_: number[], runs: HistoryRun[]): number =>
    tests.reduce((sum, test) => sum + Math.min(...runs.map(({ results }) => results[test] ?? 1)), 0);
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

/** Returns the mean memory occupancy, in bytes, of the only test of a run that measures it. */
export function meanOf(run: HistoryRun): number {
  return run.occupancy[0]?.meanBytes ?? NaN;
}
