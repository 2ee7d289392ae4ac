/** A line of the table. */
export interface Measure {
  what: string;
  /** The ratio, or the figure where there is nothing to compare it with or its aim is one of its own. */
  result: string;
  aim: string;
  /** What it was made of. */
  from: string;
}

/** What was found when the two aims that are not met were looked into, on two cores. */
const NOT_MET = [
  "## Aims that are not met",
  "",
  "- **`preview` against an empty program.** An empty program loads no library and no plugin. One resource of each of",
  "  three providers makes it more than twice as long: most of that is loading `@pulumi/pulumi` (1.5 CPU seconds)",
  "  and the plugins. The row of the whole against that one says what the other hundred resources cost.",
  "- **Pushes of 64 clients against the bare gateway.** The client, the gateway and the guard share two cores, and the",
  "  bare gateway with its client fills them alone. A push costs the gateway 1.3 CPU ms (a quarter of them for its own",
  "  process's metrics, gathered anew to check each push against), 0.6 more for writing its file, and the guard 0.9.",
  "  Longer intervals between writes and sending pushes on while those before are written changed nothing beyond the",
  "  noise: of a batch's 65 ms, 57 are the gateway taking it in. The way to more is to check pushes for consistency no",
  "  longer, and one bad push could then break every scrape.",
];

/**
 * The page of a run.
 *
 * @param loads - the machine's load averages before and after it
 */
export function page(measures: Measure[], ...loads: number[]): string {
  return [
    "# Benchmarks",
    "",
    "Written by `npm run bench`: the last run, on a local cloud of its own. Ratios are of things measured in that one",
    "run. A machine that does other work meanwhile makes them worse, and tails longer: the load says how much it did.",
    "",
    `Load average before and after: ${loads.map((load) => load.toFixed(1)).join(", ")}. Node ${process.version}.`,
    "",
    "| what | result | aim | from |",
    "| --- | --- | --- | --- |",
    ...measures.map(({ what, result, aim, from }) => `| ${what} | ${result} | ${aim} | ${from} |`),
    "",
    ...NOT_MET,
    "",
  ].join("\n");
}
