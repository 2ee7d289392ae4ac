/**
 * Returns evenly spaced round numbers, from at most `min` to at least `max`.
 *
 * @param binary steps of 1, 2, 4, … (for bytes) instead of 1, 2, 5, 10, …
 * @param wanted approximate length of the result
 */
export function ticks(min: number, max: number, binary: boolean, wanted = 5): number[] {
  const minStep = (max - min || 1) / wanted;
  const step = binary ? 2 ** Math.ceil(Math.log2(minStep)) : roundStep(minStep);
  const first = Math.floor(min / step);
  const last = Math.ceil(max / step);
  return Array.from({ length: last - first + 1 }, (_, at) => (first + at) * step);
}

function roundStep(minStep: number): number {
  const power = 10 ** Math.floor(Math.log10(minStep));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= minStep) ?? 10;
  return factor * power;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [1, 5, 10, 30]
  .map((count) => count * MINUTE)
  .concat([1, 3, 6, 12].map((count) => count * HOUR))
  .concat([1, 2, 7, 30, 90, 365].map((count) => count * DAY));

/** Ticks of a time axis. */
export interface TimeTicks {
  /** Unix times in ms. */
  times: number[];
  /** Format of the labels, as short as the ticks' distance allows. */
  format: string;
}

/**
 * Returns round times between two times, e.g. full hours or midnights of the axis's time zone.
 *
 * @param wanted approximate maximum number of ticks
 * @param offsetAt returns the time zone's offset at a Unix time; both in ms, positive east of Greenwich
 */
export function timeTicks(
  from: number,
  to: number,
  wanted: number,
  offsetAt: (time: number) => number,
): TimeTicks {
  const minStep = (to - from) / Math.max(1, wanted);
  const step = STEPS.find((candidate) => candidate >= minStep) ?? 365 * DAY;
  const first = Math.ceil((from + offsetAt(from)) / step);
  const last = Math.floor((to + offsetAt(to)) / step);
  const times = Array.from({ length: Math.max(0, last - first + 1) }, (_, count) =>
    toUnix((first + count) * step, offsetAt),
  );
  // When daylight saving time begins, two local times can be the same Unix time.
  return { times: [...new Set(times)], format: step < DAY ? "HH:mm" : "MM/DD" };
}

/**
 * Converts a local time of the axis's time zone to Unix time; both are in ms. `offsetAt` needs the Unix time, so the
 * function first estimates it with the offset at `local`, and then uses the offset at the estimate.
 */
function toUnix(local: number, offsetAt: (time: number) => number): number {
  return local - offsetAt(local - offsetAt(local));
}
