// npm run bench [-- PART …]: measures on a local cloud of its own, and writes docs/bench.md; with PARTs only these,
// and writes nothing. Ratios of things measured in one run, since seconds say more about the machine than about the
// program.
import { writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import { openCloud, removeCloud, type Cloud } from "../local/cluster/index.ts";
import { bringUp, initStack, stackOutputs, type Engine } from "../local/environment.ts";
import { startForwards, type LocalAddresses } from "../local/forwards.ts";
import { openLocalEnvironment, type LocalEnvironment } from "../local/prepare.ts";
import { cloudName, runCommand, step } from "../local/commands/terminal.ts";
import { measureCommands } from "./commands.ts";
import { measureDashboards } from "./dashboards.ts";
import { measureMemory } from "./memory.ts";
import { measureFreshness, measureThroughput } from "./pushes.ts";
import { measureUp } from "./up.ts";

/** A line of the table. */
export interface Measure {
  what: string;
  /** The ratio, or the figure where there is nothing to compare it with or its aim is one of its own. */
  result: string;
  aim: string;
  /** What it was made of. */
  from: string;
}

/** The environment when it is up. */
interface Subject {
  cloud: Cloud;
  engine: Engine;
  outputs: Record<string, unknown>;
  addresses: LocalAddresses;
}

const PAGE = fileURLToPath(new URL("../docs/bench.md", import.meta.url));

/** The first part: the others need what it makes, measured or not. */
const UP = "up";

/** The other parts, in their order: the last one fills Prometheus, which would weigh on those before. */
const PARTS: Record<string, (subject: Subject) => Promise<Measure | Measure[]>> = {
  freshness: ({ addresses, outputs }) => measureFreshness(addresses, outputs),
  throughput: ({ cloud, addresses }) => measureThroughput(cloud, addresses.pushGateway),
  memory: ({ cloud }) => measureMemory(cloud),
  commands: ({ cloud, engine }) => measureCommands(cloud, engine),
  dashboards: ({ cloud, addresses, outputs }) => measureDashboards(cloud, addresses, outputs),
};

await runCommand(async () => {
  const all = [UP, ...Object.keys(PARTS)];
  const asked = process.argv.slice(2);
  const unknown = asked.filter((part) => !all.includes(part));
  if (unknown.length > 0) throw new Error(`No part is ${unknown.join(", ")}: there are ${all.join(", ")}`);
  // Not the cloud that somebody works on: it is removed.
  const name = process.env.K8SFV_CLOUD === undefined ? "bench" : cloudName();
  await removeCloud(openCloud(name));
  const loadBefore = loadavg()[0] ?? 0;
  const environment = await openLocalEnvironment(name);
  try {
    const measures = await measure(environment, asked.length === 0 ? all : asked);
    if (asked.length === 0) await writePage(page(measures, loadBefore, loadavg()[0] ?? 0));
  } finally {
    await removeCloud(environment.cloud);
  }
});

/** Measures these parts. */
async function measure({ cloud, engine }: LocalEnvironment, parts: string[]): Promise<Measure[]> {
  const measures: Measure[] = [];
  // Each is told as it comes: a run that is stopped half-way still says something.
  const take = (found: Measure | Measure[]): void => {
    for (const one of [found].flat()) {
      measures.push(one);
      console.log(`${one.what}: ${one.result} (${one.from})`);
    }
  };
  await initStack(cloud, engine);
  if (parts.includes(UP)) {
    take(await step("up from nothing, Google's durations scaled in", () => measureUp(cloud, engine)));
  } else {
    await step("up from nothing", () => bringUp(engine));
  }
  const outputs = await stackOutputs(engine);
  const subject = { cloud, engine, outputs, addresses: await startForwards(cloud, outputs) };
  for (const [part, work] of Object.entries(PARTS)) {
    if (parts.includes(part)) take(await step(part, () => work(subject)));
  }
  return measures;
}

async function writePage(text: string): Promise<void> {
  const options = await resolveConfig(PAGE);
  await writeFile(PAGE, await format(text, { ...options, parser: "markdown" }));
  console.log(text);
  console.log(`Written to ${path.relative(process.cwd(), PAGE)}`);
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

function page(measures: Measure[], ...loads: number[]): string {
  return [
    "# Benchmarks",
    "",
    "Written by `npm run bench`: the last run, on a local cloud of its own. Ratios are of things measured in that one",
    "run. A machine that does other work meanwhile makes them worse, and tails longer: the load says how much it did.",
    "",
    `Load average before and after: ${loads.map((load) => load.toFixed(1)).join(", ")}.`,
    "",
    "| what | result | aim | from |",
    "| --- | --- | --- | --- |",
    ...measures.map(({ what, result, aim, from }) => `| ${what} | ${result} | ${aim} | ${from} |`),
    "",
    ...NOT_MET,
    "",
  ].join("\n");
}
