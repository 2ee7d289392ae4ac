/** Colours of Grafana's names. */
export const COLOURS: Record<string, string> = {
  red: "#e02f44",
  orange: "#ff9830",
  yellow: "#f2cc0c",
  green: "#56a64b",
  blue: "#3274d9",
};

/** A value as Grafana writes it in that unit. */
export function format(value: number | string | null | undefined, unit: string, now: number): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  switch (unit) {
    case "bytes":
      return scaled(value, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]);
    case "percentunit":
      return `${round(value * 100)} %`;
    case "percent":
      return `${round(value)} %`;
    case "s":
      return duration(value);
    case "d":
      return `${Math.round(value)} d`;
    case "cps":
      return `${round(value)} c/s`;
    case "dateTimeFromNow":
      return `${duration((now - value) / 1000)} ago`;
    default:
      return scaled(value, 1000, ["", "k", "M", "G"]).trim();
  }
}

function scaled(value: number, base: number, units: string[]): string {
  const power = Math.min(
    units.length - 1,
    Math.max(0, Math.floor(Math.log(Math.abs(value) || 1) / Math.log(base))),
  );
  return `${round(value / base ** power)} ${units[power] ?? ""}`;
}

function duration(seconds: number): string {
  if (Math.abs(seconds) >= 86400) return `${round(seconds / 86400)} d`;
  if (Math.abs(seconds) >= 3600) return `${round(seconds / 3600)} h`;
  if (Math.abs(seconds) >= 60) return `${round(seconds / 60)} min`;
  return Math.abs(seconds) >= 1 || seconds === 0 ? `${round(seconds)} s` : `${round(seconds * 1000)} ms`;
}

/** Three digits. */
function round(value: number): string {
  return String(Number(value.toPrecision(3)));
}
