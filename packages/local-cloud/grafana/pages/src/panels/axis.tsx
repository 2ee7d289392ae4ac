import { dateTimeFormat } from "@grafana/data";

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

/** A time on an axis with its label. */
export interface TimeTick {
  at: number;
  text: string;
}

/**
 * Returns round times between two times, with labels as short as their distance allows.
 *
 * @param wanted approximate maximum number of times
 */
export function timeTicks(from: number, to: number, timeZone: string, wanted: number): TimeTick[] {
  const minStep = (to - from) / Math.max(1, wanted);
  const step = STEPS.find((candidate) => candidate >= minStep) ?? 365 * DAY;
  const offset = new Date(from).getTimezoneOffset() * MINUTE;
  const format = step < DAY ? "HH:mm" : "MM/DD";
  const first = Math.ceil((from - offset) / step) * step + offset;
  return Array.from({ length: Math.max(0, Math.floor((to - first) / step) + 1) }, (_, count) => {
    const at = first + count * step;
    return { at, text: dateTimeFormat(at, { timeZone, format }) };
  });
}
