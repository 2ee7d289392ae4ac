import { copyFile, mkdir, symlink } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { Cloud } from "../local/cluster/index.ts";
import type { Engine } from "../local/environment.ts";
import type { Measure } from "./main.ts";
import { median } from "./statistics.ts";

const EMPTY = fileURLToPath(new URL("empty", import.meta.url));
const MODULES = fileURLToPath(new URL("../node_modules", import.meta.url));
/** How often each is measured; in turn, so that other work of the machine hits both. */
const ROUNDS = 5;

/** `preview` and `up` of a stack that is as it should be, against the same of a program that makes nothing. */
export async function measureCommands(cloud: Cloud, engine: Engine): Promise<Measure[]> {
  const empty = await emptyProgram(cloud, engine);
  const commands = [
    { what: "`preview` of the whole ÷ of an empty program", args: ["preview"], aim: "≤ 2.5" },
    { what: "`up` without a change ÷ of an empty program", args: ["up", "--yes", "--skip-preview"], aim: "" },
  ];
  const measures: Measure[] = [];
  for (const { what, args, aim } of commands) {
    const whole: number[] = [];
    const nothing: number[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const times = [await timed(() => engine.pulumi(args)), await timed(() => empty(args))] as const;
      // The first of each fills caches.
      if (round === 0) continue;
      whole.push(times[0]);
      nothing.push(times[1]);
    }
    const [a, b] = [median(whole), median(nothing)];
    measures.push({
      what,
      result: (a / b).toFixed(2),
      aim,
      from: `${a.toFixed(2)} s ÷ ${b.toFixed(2)} s, medians of ${ROUNDS}`,
    });
  }
  return measures;
}

/** The same engine on a stack of its own, whose program is empty. */
async function emptyProgram(cloud: Cloud, engine: Engine): Promise<(args: string[]) => Promise<unknown>> {
  const cwd = path.join(cloud.pulumiDir, "empty");
  await mkdir(cwd, { recursive: true });
  for (const file of ["Pulumi.yaml", "index.ts"])
    await copyFile(path.join(EMPTY, file), path.join(cwd, file));
  await symlink(MODULES, path.join(cwd, "node_modules"));
  const stackFile = path.join(cwd, "Pulumi.empty.yaml");
  const env = { ...engine.env, PULUMI_STACK: "empty", PULUMI_OPTION_CONFIG_FILE: stackFile };
  const run = (args: string[]) =>
    execa(path.join(cloud.binDir, "pulumi"), args, { cwd, env, stdin: "ignore" });
  await run(["stack", "init", "empty"]);
  return run;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}
