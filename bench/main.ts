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
import { page, type Measure } from "./page.ts";
import { measureFreshness, measureThroughput } from "./pushes.ts";
import { measureUp } from "./up.ts";

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
  throughput: ({ cloud, outputs }) => measureThroughput(cloud, String(outputs.PROMPG_URL)),
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
