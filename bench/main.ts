// npm run bench [-- PART …]: measures on a local cloud of its own, and writes docs/bench.md.
// Ratios of things measured in one run, since seconds say more about the machine than about the program.
import { writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import { openCloud, removeCloud } from "../local/cluster/index.ts";
import { initStack, stackOutputs } from "../local/environment.ts";
import { startForwards } from "../local/forwards.ts";
import { openLocalEnvironment } from "../local/prepare.ts";
import { cloudName, runCommand, step } from "../local/commands/terminal.ts";
import { measureCommands } from "./commands.ts";
import { measureMemory } from "./memory.ts";
import { measureFreshness, measureThroughput } from "./pushes.ts";
import { measureUp } from "./up.ts";

/** A line of the table. */
export interface Measure {
  what: string;
  /** The ratio, or the figure where there is nothing to compare it with. */
  result: string;
  aim: string;
  /** What it was made of. */
  from: string;
}

const PAGE = fileURLToPath(new URL("../docs/bench.md", import.meta.url));

await runCommand(async () => {
  // Not the cloud that somebody works on: it is removed.
  const name = process.env.K8SFV_CLOUD === undefined ? "bench" : cloudName();
  await removeCloud(openCloud(name));
  const loadBefore = loadavg()[0] ?? 0;
  const measures: Measure[] = [];
  const { cloud, engine } = await openLocalEnvironment(name);
  try {
    await initStack(cloud, engine);
    // Each is told as it comes: a run that is stopped half-way still says something.
    const take = (...found: Measure[]): void => {
      measures.push(...found);
      for (const { what, result, from } of found) console.log(`${what}: ${result} (${from})`);
    };
    take(...(await step("up from nothing, Google's durations scaled in", () => measureUp(cloud, engine))));
    const outputs = await stackOutputs(engine);
    const addresses = await startForwards(cloud, outputs);
    take(await step("push to readable", () => measureFreshness(addresses, outputs)));
    take(await step("pushes a second", () => measureThroughput(cloud, addresses.pushGateway)));
    take(await measureMemory(cloud));
    take(...(await step("preview and up without a change", () => measureCommands(cloud, engine))));
  } finally {
    await removeCloud(cloud);
  }
  const text = page(measures, loadBefore, loadavg()[0] ?? 0);
  const options = await resolveConfig(PAGE);
  await writeFile(PAGE, await format(text, { ...options, parser: "markdown" }));
  console.log(text);
  console.log(`Written to ${path.relative(process.cwd(), PAGE)}`);
});

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
  ].join("\n");
}
