const UNITS: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  M: 30 * 86_400_000,
  y: 365 * 86_400_000,
};

/**
 * Parses a duration such as `10s` or `1h30m` to ms. A number without a unit means seconds. A leading `>` or `<` is
 * ignored. @throws Error that names the text
 */
export function parseDuration(text: string): number {
  const given = text.trim().replace(/^[<>]/, "");
  if (/^\d+(\.\d+)?$/.test(given)) return Number(given) * 1000;
  if (!/^(\d+(\.\d+)?(ms|[smhdwMy]))+$/.test(given)) throw new Error(`invalid interval: "${text}"`);
  const parts = [...given.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdwMy])/g)];
  return parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (UNITS[unit] ?? 0), 0);
}

/** Formats a duration in its largest unit, rounded down, like `$__interval`: 90000 is `1m`. */
export function formatInterval(ms: number): string {
  for (const unit of ["y", "d", "h", "m", "s"]) {
    const size = UNITS[unit] ?? 1;
    if (ms >= size) return `${Math.floor(ms / size)}${unit}`;
  }
  return `${Math.max(1, Math.floor(ms))}ms`;
}

/** Formats a duration like Go: 5400000 is `1h30m0s`. */
export function goDuration(ms: number): string {
  if (ms === 0) return "0s";
  if (ms < 1000) return `${ms}ms`;
  const hours = Math.floor(ms / 3600_000);
  const minutes = Math.floor((ms % 3600_000) / 60_000);
  const seconds = (ms % 60_000) / 1000;
  return `${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}${seconds}s`;
}

/**
 * Pairs of a limit and a value in ms: intervals up to the limit are rounded to the value. Grafana's table
 * (@grafana/data, rangeutil).
 */
const ROUNDED: [number, number][] = [
  [10, 1],
  [15, 10],
  [35, 20],
  [75, 50],
  [150, 100],
  [350, 200],
  [750, 500],
  [1500, 1000],
  [3500, 2000],
  [7500, 5000],
  [12_500, 10_000],
  [17_500, 15_000],
  [25_000, 20_000],
  [45_000, 30_000],
  [90_000, 60_000],
  [210_000, 120_000],
  [450_000, 300_000],
  [750_000, 600_000],
  [1_050_000, 900_000],
  [1_500_000, 1_200_000],
  [2_700_000, 1_800_000],
  [5_400_000, 3_600_000],
  [9_000_000, 7_200_000],
  [16_200_000, 10_800_000],
  [32_400_000, 21_600_000],
  [86_400_000, 43_200_000],
  [604_800_000, 86_400_000],
  [1_814_400_000, 604_800_000],
  [3_628_799_999, 2_592_000_000],
];

/** Rounds an interval between points to an interval of Grafana's table. */
export function roundInterval(ms: number): number {
  return ROUNDED.find(([limit]) => ms <= limit)?.[1] ?? 31_536_000_000;
}

/** Parses a time to ms: a number of ms, or `now` plus or minus durations, such as `now-1h`. @throws Error */
export function parseTime(text: string, now: number): number {
  if (/^\d+$/.test(text)) return Number(text);
  if (!/^now([+-]\d+(ms|[smhdwMy]))*$/.test(text)) throw new Error(`invalid time: "${text}"`);
  const parts = [...text.matchAll(/([+-])(\d+(?:ms|[smhdwMy]))/g)];
  return parts.reduce((sum, [, sign, span = ""]) => sum + (sign === "-" ? -1 : 1) * parseDuration(span), now);
}
