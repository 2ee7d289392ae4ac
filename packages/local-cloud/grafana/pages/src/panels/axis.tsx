import { dateTimeFormat } from "@grafana/data";

/**
 * Round numbers from 0 or below to `max` or above.
 *
 * @param binary steps of 1, 2, 4, … (for bytes) instead of 1, 2, 5, 10, …
 * @param wanted about how many
 */
export function ticks(min: number, max: number, binary: boolean, wanted = 5): number[] {
  const least = (max - min || 1) / wanted;
  const step = binary ? 2 ** Math.ceil(Math.log2(least)) : roundStep(least);
  const first = Math.floor(min / step);
  const last = Math.ceil(max / step);
  return Array.from({ length: last - first + 1 }, (_, at) => (first + at) * step);
}

function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= least) ?? 10;
  return factor * power;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [1, 5, 10, 30]
  .map((count) => count * MINUTE)
  .concat([1, 3, 6, 12].map((count) => count * HOUR))
  .concat([1, 2, 7, 30, 90, 365].map((count) => count * DAY));

/** A time on an axis and how it is written there. */
export interface TimeTick {
  at: number;
  text: string;
}

/**
 * Round times between two, written as short as the distance between them allows.
 *
 * @param wanted at most how many
 */
export function timeTicks(from: number, to: number, timeZone: string, wanted: number): TimeTick[] {
  const least = (to - from) / Math.max(1, wanted);
  const step = STEPS.find((candidate) => candidate >= least) ?? 365 * DAY;
  const offset = new Date(from).getTimezoneOffset() * MINUTE;
  const format = step < DAY ? "HH:mm" : "MM/DD";
  const first = Math.ceil((from - offset) / step) * step + offset;
  return Array.from({ length: Math.max(0, Math.floor((to - first) / step) + 1) }, (_, count) => {
    const at = first + count * step;
    return { at, text: dateTimeFormat(at, { timeZone, format }) };
  });
}
