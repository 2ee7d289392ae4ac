import { copyFile, mkdir, symlink } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { Cloud } from "../local/cluster/index.ts";
import type { Engine } from "../local/environment.ts";
import type { Measure } from "./page.ts";
import { median } from "./statistics.ts";

const BENCH = fileURLToPath(new URL(".", import.meta.url));
const MODULES = fileURLToPath(new URL("../node_modules", import.meta.url));
/** How often each is measured; in turn, so that other work of the machine hits both. */
const ROUNDS = 5;

/** `preview` and `up` of a stack that is as it should be, against the same of programs with nothing and with little. */
export async function measureCommands(cloud: Cloud, engine: Engine): Promise<Measure[]> {
  const whole = (args: string[]) => engine.pulumi(args);
  const empty = await programOf("empty", cloud, engine);
  const least = await programOf("least", cloud, engine);
  const up = ["up", "--yes", "--skip-preview"];
  await least(up);
  const previews = await medians([whole, least, empty], ["preview"]);
  const ups = await medians([whole, empty], up);
  const [preview = NaN, ofLeast = NaN, ofEmpty = NaN] = previews;
  const [again = NaN, againOfEmpty = NaN] = ups;
  return [
    compare("`preview` of the whole ÷ of an empty program", preview, ofEmpty, "≤ 2.5"),
    compare("`preview` of the whole ÷ of one resource of three providers each", preview, ofLeast, ""),
    compare("`preview` of one resource of three providers each ÷ of an empty program", ofLeast, ofEmpty, ""),
    compare("`up` without a change ÷ of an empty program", again, againOfEmpty, ""),
  ];
}

function compare(what: string, a: number, b: number, aim: string): Measure {
  const from = `${a.toFixed(2)} s ÷ ${b.toFixed(2)} s, medians of ${ROUNDS}`;
  return { what, result: (a / b).toFixed(2), aim, from };
}

type Program = (args: string[]) => Promise<unknown>;

/** Seconds that each program takes. */
async function medians(programs: Program[], args: string[]): Promise<number[]> {
  const seconds = programs.map((): number[] => []);
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [at, program] of programs.entries()) {
      const taken = await timed(() => program(args));
      // The first of each fills caches.
      if (round > 0) seconds[at]?.push(taken);
    }
  }
  return seconds.map(median);
}

/** The same engine on a stack of its own, with a program of this folder. */
async function programOf(name: string, cloud: Cloud, engine: Engine): Promise<Program> {
  const cwd = path.join(cloud.pulumiDir, name);
  await mkdir(cwd, { recursive: true });
  for (const file of ["Pulumi.yaml", "package.json", "index.ts"])
    await copyFile(path.join(BENCH, name, file), path.join(cwd, file));
  await symlink(MODULES, path.join(cwd, "node_modules"));
  const env = {
    ...engine.env,
    KUBECONFIG: cloud.adminKubeconfig,
    PULUMI_STACK: name,
    PULUMI_OPTION_CONFIG_FILE: path.join(cwd, `Pulumi.${name}.yaml`),
  };
  const run = (args: string[]) =>
    execa(path.join(cloud.binDir, "pulumi"), args, { cwd, env, stdin: "ignore" });
  await run(["stack", "init", name]);
  return run;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}
