// npm run --silent backfill -- URL > runs.txt: reads the runs that another Prometheus, at URL, has scraped, and prints
// the samples that the recording rules would have recorded for them. `promtool tsdb create-blocks-from rules` can't do
// that, because the first rule reads its own earlier results.
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { readArguments } from "./backfill/arguments.ts";
import { openPrometheus } from "./backfill/prometheus.ts";
import type { RunSelection } from "./backfill/read.ts";
import { pushTimes, readRuns } from "./backfill/read.ts";
import { renameLevels } from "./backfill/rename.ts";
import { day, record, SECONDS_BEFORE, summary } from "./backfill/runs.ts";

process.exitCode = await main().catch((error: unknown) => {
  report(error instanceof Error ? error.message : String(error));
  return 1;
});

async function main(): Promise<number> {
  const { url, renames, ...wanted } = readArguments(process.argv.slice(2));
  const prometheus = openPrometheus(url);
  report(`searching for pushes at ${prometheus.url}, from ${day(wanted.from)} to ${day(wanted.until)}`);
  // The first medians need runs before the requested range.
  const found = await readRuns(prometheus, { ...wanted, from: wanted.from - SECONDS_BEFORE }, report);
  const all = renameLevels(found, renames);
  const runs = all.filter(({ at }) => at >= wanted.from);
  if (runs.length === 0) throw new Error(nothingFound(prometheus.url, wanted));
  const text = Readable.from(record(all).openMetrics(wanted.from));
  await pipeline(text, process.stdout, { end: false });
  for (const line of summary(runs)) report(line);
  return 0;
}

function nothingFound(url: string, wanted: RunSelection): string {
  return (
    `No run: ${url} has nothing for ${pushTimes(wanted)} from ${day(wanted.from)} to ${day(wanted.until)}. ` +
    "Query push_time_seconds without a selector there. If the runs have another label, such as exported_job, set it: " +
    "--match 'exported_job=\"k8sfv\"'"
  );
}

/** Prints a message on standard error; standard output is for the samples. */
function report(line: string): void {
  console.error(`backfill: ${line}`);
}
