// npm run --silent backfill -- URL > runs.txt: what the recording rules would have kept of the runs that another
// Prometheus saw. `promtool tsdb create-blocks-from rules` can't tell: the first rule asks what it gave before.
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { readArguments } from "./backfill/arguments.ts";
import { openPrometheus } from "./backfill/prometheus.ts";
import type { Wanted } from "./backfill/read.ts";
import { pushTimes, readRuns } from "./backfill/read.ts";
import { renameLevels } from "./backfill/rename.ts";
import { day, record, SECONDS_BEFORE, summary } from "./backfill/runs.ts";

process.exitCode = await main().catch((error: unknown) => {
  tell(error instanceof Error ? error.message : String(error));
  return 1;
});

async function main(): Promise<number> {
  const { url, renames, ...wanted } = readArguments(process.argv.slice(2));
  const prometheus = openPrometheus(url);
  tell(`looking for pushes at ${prometheus.url}, from ${day(wanted.from)} to ${day(wanted.until)}`);
  // The first medians look further back than what is written.
  const found = await readRuns(prometheus, { ...wanted, from: wanted.from - SECONDS_BEFORE }, tell);
  const all = renameLevels(found, renames);
  const runs = all.filter(({ at }) => at >= wanted.from);
  if (runs.length === 0) throw new Error(nothingFound(prometheus.url, wanted));
  const text = Readable.from(record(all).openMetrics(wanted.from));
  await pipeline(text, process.stdout, { end: false });
  for (const line of summary(runs)) tell(line);
  return 0;
}

function nothingFound(url: string, wanted: Wanted): string {
  return (
    `No run: ${url} has nothing for ${pushTimes(wanted)} from ${day(wanted.from)} to ${day(wanted.until)}. ` +
    "Ask it for push_time_seconds alone: if the runs have another label there, such as an exported_job, say which: " +
    "--match 'exported_job=\"k8sfv\"'"
  );
}

/** To people, on standard error: standard output is for the text. */
function tell(line: string): void {
  console.error(`backfill: ${line}`);
}
