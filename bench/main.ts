// npm run bench [-- PART …]: runs measurements on a temporary local cloud and writes docs/bench.md. With PARTs, runs
// only these parts and writes nothing. Many results are ratios of two values of the same run, because absolute times
// depend on the computer.
import { writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import {
  type Cloud,
  type Engine,
  type LocalAddresses,
  type LocalEnvironment,
  bringUp,
  cloudName,
  initStack,
  openCloud,
  openLocalEnvironment,
  removeCloud,
  runCommand,
  stackOutputs,
  startForwards,
  step,
} from "k8sfv-local-cloud";
import { exitWithUsage, readCommandLine } from "../lib/command-line.ts";
import { measureCommands } from "./commands.ts";
import { measureDashboards } from "./dashboards.ts";
import { page, type Measurement } from "./page.ts";
import { measureFreshness, measureThroughput } from "./pushes.ts";
import { measureRest } from "./rest.ts";
import { measureUp } from "./up.ts";

/** The environment that is measured, on a temporary local cloud. */
interface Subject {
  cloud: Cloud;
  engine: Engine;
  outputs: Record<string, unknown>;
  addresses: LocalAddresses;
}

const PAGE = fileURLToPath(new URL("../docs/bench.md", import.meta.url));

/** Name of the benchmark's first part, which creates the environment for the other parts. */
const UP = "up";

/**
 * The parts after {@link UP}, in order. `dashboards` comes last, because it loads almost five years of data into
 * Prometheus, which would influence the other measurements.
 */
const PARTS: Record<string, (subject: Subject) => Promise<Measurement | Measurement[]>> = {
  freshness: ({ addresses, outputs }) => measureFreshness(addresses, outputs),
  throughput: ({ cloud, outputs }) => measureThroughput(cloud, String(outputs.PROMPG_URL)),
  rest: ({ cloud }) => measureRest(cloud),
  commands: ({ cloud, engine }) => measureCommands(cloud, engine),
  dashboards: ({ cloud, addresses, outputs }) => measureDashboards(cloud, addresses, outputs),
};

const all = [UP, ...Object.keys(PARTS)];
const usage = `npm run bench [-- PART ...]
  PART  one of ${all.join(", ")}; by default all`;
const requested = readCommandLine({ usage, positionals: [0, Infinity] }).positionals;
const unknown = requested.filter((part) => !all.includes(part));
if (unknown.length > 0) exitWithUsage(`Unknown part ${unknown.join(", ")}`, usage);

await runCommand(async () => {
  // The default name is not that of the developer's local cloud, because the run removes the cloud of this name.
  const name = process.env.K8SFV_CLOUD === undefined ? "bench" : cloudName();
  await removeCloud(openCloud(name));
  const loadBefore = loadavg()[0] ?? 0;
  const environment = await openLocalEnvironment(name);
  try {
    const measurements = await measure(environment, requested.length === 0 ? all : requested);
    if (requested.length === 0) await writePage(page(measurements, loadBefore, loadavg()[0] ?? 0));
  } finally {
    await removeCloud(environment.cloud);
  }
});

/** Creates the environment and runs these parts of the benchmark. */
async function measure({ cloud, engine }: LocalEnvironment, parts: string[]): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  // Prints each result immediately, so that an interrupted run shows the results so far.
  const take = (found: Measurement | Measurement[]): void => {
    for (const one of [found].flat()) {
      measurements.push(one);
      console.log(`${one.what}: ${one.result} (${one.from})`);
    }
  };
  await initStack(cloud, engine);
  if (parts.includes(UP)) {
    take(
      await step("pulumi up of a new stack, with scaled durations of Google", () => measureUp(cloud, engine)),
    );
  } else {
    await step("pulumi up of a new stack", () => bringUp(engine));
  }
  const outputs = await stackOutputs(engine);
  const subject = { cloud, engine, outputs, addresses: await startForwards(cloud, outputs) };
  for (const [part, work] of Object.entries(PARTS)) {
    if (parts.includes(part)) take(await step(part, () => work(subject)));
  }
  return measurements;
}

async function writePage(text: string): Promise<void> {
  const options = await resolveConfig(PAGE);
  await writeFile(PAGE, await format(text, { ...options, parser: "markdown" }));
  console.log(text);
  console.log(`Written to ${path.relative(process.cwd(), PAGE)}`);
}
