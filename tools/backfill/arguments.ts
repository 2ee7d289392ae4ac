import { parseArgs } from "node:util";
import type { Wanted } from "./read.ts";
import { readRenames } from "./rename.ts";
import { day } from "./runs.ts";

const USAGE =
  "Say which Prometheus: npm run --silent backfill -- URL [--from DATE] [--until DATE] " +
  "[--match 'LABEL=\"VALUE\"'] [--rename-code-level OLD=NEW]... > runs.txt";
/** As long as Prometheus keeps anything: five years, in seconds. */
const RETENTION = 5 * 365 * 24 * 3600;

/**
 * What the command is asked for.
 *
 * @param now - the moment, in ms, until which runs are read when nothing is said
 * @throws Error that says what is wrong
 */
export function readArguments(
  args: string[],
  now = Date.now(),
): Wanted & { url: string; renames: Map<string, string> } {
  const { values, positionals } = parsed(args);
  const [url, ...more] = positionals;
  if (url === undefined || more.length > 0) throw new Error(USAGE);
  const until = values.until === undefined ? Math.floor(now / 1000) : moment("--until", values.until);
  const from = values.from === undefined ? until - RETENTION : moment("--from", values.from);
  if (from >= until) throw new Error(`--from ${day(from)} has to be before --until ${day(until)}`);
  const renames = readRenames(values["rename-code-level"]);
  return { url, match: values.match, from, until, renames };
}

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        from: { type: "string" },
        until: { type: "string" },
        match: { type: "string", default: 'job="k8sfv"' },
        "rename-code-level": { type: "string", multiple: true, default: [] },
      },
    });
  } catch {
    // An unknown option: the usage says which there are.
    throw new Error(USAGE);
  }
}

/** A date, or a date with its time, in seconds. */
function moment(option: string, text: string): number {
  const shaped = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d))?$/.test(text);
  const at = Date.parse(text);
  if (shaped && !Number.isNaN(at)) return at / 1000;
  throw new Error(`${option} ${text} is no date like 2026-11-20 or 2026-11-20T04:30:00Z`);
}
