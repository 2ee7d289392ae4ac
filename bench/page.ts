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
  "  three providers makes it more than twice as long; the row of the whole against that one says what the other hundred",
  "  resources cost. Most of a preview is one thing after the other: Node loads the program, then Google's plugin starts,",
  "  then Kubernetes' (1.1 CPU seconds), then Grafana's, each asked for by what the one before told. With Node 24, which",
  "  takes the program's TypeScript as it is, the whole took 3.2 s instead of 5.0, and an empty program 0.75 instead of 1.25.",
  "- **Pushes of 64 clients against the bare gateway.** The gateway takes pushes in one by one, and none while it writes its",
  "  file, 3 ms at each time. The proxy (0.3 CPU ms a push) and the network have the same two cores, of which four fifths",
  "  are busy then. Longer intervals between writes, two marks under way at once, and more pushes at the gateway at once",
  "  changed nothing beyond the noise. The way to more is a log of the proxy's own, from which it would push again what the",
  "  gateway lost: those runs would then have two times, and count twice.",
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
