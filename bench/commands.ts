import { copyFile, mkdir, symlink } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { Cloud } from "../local/cluster/index.ts";
import type { Engine } from "../local/environment.ts";
import type { Measurement } from "./page.ts";
import { median } from "./statistics.ts";

const BENCH = fileURLToPath(new URL(".", import.meta.url));
const MODULES = fileURLToPath(new URL("../node_modules", import.meta.url));
/** Number of measurements of each program. They alternate, so that other load affects all programs. */
const ROUNDS = 5;

/** Measures `preview` and `up` of an unchanged stack, relative to an empty and a minimal program. */
export async function measureCommands(cloud: Cloud, engine: Engine): Promise<Measurement[]> {
  const whole = (args: string[]) => engine.pulumi(args);
  const empty = await programOf("empty", cloud, engine);
  const minimal = await programOf("minimal", cloud, engine);
  const up = ["up", "--yes", "--skip-preview"];
  await minimal(up);
  const previews = await medians([whole, minimal, empty], ["preview"]);
  const ups = await medians([whole, empty], up);
  const [preview = NaN, ofMinimal = NaN, ofEmpty = NaN] = previews;
  const [again = NaN, againOfEmpty = NaN] = ups;
  return [
    compare("`preview` of the whole ÷ of an empty program", preview, ofEmpty, "≤ 2.5"),
    compare("`preview` of the whole ÷ of one resource of three providers each", preview, ofMinimal, ""),
    compare(
      "`preview` of one resource of three providers each ÷ of an empty program",
      ofMinimal,
      ofEmpty,
      "",
    ),
    compare("`up` without a change ÷ of an empty program", again, againOfEmpty, ""),
  ];
}

function compare(what: string, a: number, b: number, aim: string): Measurement {
  const from = `${a.toFixed(2)} s ÷ ${b.toFixed(2)} s, medians of ${ROUNDS}`;
  return { what, result: (a / b).toFixed(2), aim, from };
}

type Program = (args: string[]) => Promise<unknown>;

/** Returns the median duration of each program in seconds. */
async function medians(programs: Program[], args: string[]): Promise<number[]> {
  const seconds = programs.map((): number[] => []);
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [at, program] of programs.entries()) {
      const taken = await timed(() => program(args));
      // The first run of each program only fills caches.
      if (round > 0) seconds[at]?.push(taken);
    }
  }
  return seconds.map(median);
}

/** Returns a function that runs the engine on its own stack, with a program from this directory. */
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
