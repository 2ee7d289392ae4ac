import { readCommandLine } from "../../lib/command-line.ts";
import type { RunSelection } from "./read.ts";
import { readRenames } from "./rename.ts";
import { day } from "./runs.ts";

const USAGE =
  "npm run --silent backfill -- URL [--from DATE] [--until DATE] " +
  "[--match 'LABEL=\"VALUE\"'] [--rename-code-level OLD=NEW]... > runs.txt";
/** Prometheus's retention time in seconds: five years. */
const RETENTION = 5 * 365 * 24 * 3600;

/**
 * Parses the command line. Exits with the usage if the URL is missing or an option is unknown.
 *
 * @param now current time in milliseconds, the default of --until
 * @throws Error when a value is malformed
 */
export function readArguments(
  args: string[],
  now = Date.now(),
): RunSelection & { url: string; renames: Map<string, string> } {
  const {
    values,
    positionals: [url = ""],
  } = readCommandLine({
    usage: USAGE,
    options: {
      from: { type: "string" },
      until: { type: "string" },
      match: { type: "string", default: 'job="k8sfv"' },
      "rename-code-level": { type: "string", multiple: true, default: [] },
    },
    positionals: [1, 1],
    args,
  });
  const until = values.until === undefined ? Math.floor(now / 1000) : parseTime("--until", values.until);
  const from = values.from === undefined ? until - RETENTION : parseTime("--from", values.from);
  if (from >= until) throw new Error(`--from ${day(from)} must be before --until ${day(until)}`);
  const renames = readRenames(values["rename-code-level"]);
  return { url, match: values.match, from, until, renames };
}

/** Parses a date with optional time. @returns Unix time in seconds */
function parseTime(option: string, text: string): number {
  const shaped = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d))?$/.test(text);
  const at = Date.parse(text);
  if (shaped && !Number.isNaN(at)) return at / 1000;
  throw new Error(`${option} ${text} is not a date like 2026-11-20 or 2026-11-20T04:30:00Z`);
}
