import { copyFile, cp, mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { Cloud, Engine } from "k8sfv-local-cloud";
import type { Measurement } from "./page.ts";
import { median } from "./statistics.ts";

const BENCH = fileURLToPath(new URL(".", import.meta.url));
const ROOT = fileURLToPath(new URL("..", import.meta.url));
/**
 * Number of measurements of each program. The programs run alternately, so that other load affects all of
 * them equally.
 */
const ROUNDS = 5;

type Program = (args: string[]) => Promise<unknown>;

/**
 * Measures how long `preview` of an unchanged stack takes relative to the shortest possible time (the floor),
 * and how that time grows with the number of resources.
 */
export async function measureCommands(cloud: Cloud, engine: Engine): Promise<Measurement[]> {
  const whole = (args: string[]) => engine.pulumi(args);
  const floor = await floorOf(cloud, engine);
  const [preview = NaN, ofFloor = NaN] = await medians([whole, floor], ["preview", "--expect-no-changes"]);
  const many = await Promise.all([100, 200, 400].map((count) => manyResources(count, cloud, engine)));
  for (const program of many) await program(["up", "--yes", "--skip-preview"]);
  const [of100 = NaN, of200 = NaN, of400 = NaN] = await medians(many, ["preview", "--expect-no-changes"]);
  return [
    {
      what: "`preview` of this program ÷ of a program that only registers the same resources",
      result: (preview / ofFloor).toFixed(2),
      aim: "≤ 1.15",
      from: `${preview.toFixed(2)} s ÷ ${ofFloor.toFixed(2)} s, medians of ${ROUNDS}. The other program reads the resources and their inputs from one JSON file`,
      cure: "profile the program: node --cpu-prof",
    },
    {
      what: "`preview` of 200 more resources ÷ of 100 more",
      result: ((of400 - of200) / (of200 - of100)).toFixed(2),
      aim: "≤ 2.2: time grows at most in proportion to the number of resources",
      from: `100, 200 and 400 of one cheap type: ${[of100, of200, of400].map((s) => s.toFixed(2)).join(", ")} s, medians of ${ROUNDS}`,
      cure: "look for work in the program or the stand-in providers that grows quadratically",
    },
  ];
}

/** Returns the median of the seconds that each program takes. */
async function medians(programs: Program[], args: string[]): Promise<number[]> {
  const seconds = programs.map((): number[] => []);
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [at, program] of programs.entries()) {
      const started = performance.now();
      await program(args);
      // The first round fills caches.
      if (round > 0) seconds[at]?.push((performance.now() - started) / 1000);
    }
  }
  return seconds.map(median);
}

/**
 * Returns a program whose preview takes the shortest possible time: it only registers the resources in the stack's
 * state, with the same engine and plugins. The program reads them from a copy of the state, which contains secrets of
 * the local cloud and is deleted with the cloud.
 */
async function floorOf(cloud: Cloud, engine: Engine): Promise<Program> {
  const cwd = path.join(cloud.pulumiDir, "floor");
  await mkdir(cwd, { mode: 0o700 });
  for (const file of ["package.json", "index.ts"]) {
    await copyFile(path.join(BENCH, "floor", file), path.join(cwd, file));
  }
  // The same project and TypeScript loader as the real program.
  for (const file of ["Pulumi.yaml", "loader.mjs", "strip-types.mjs"]) {
    await copyFile(path.join(ROOT, file), path.join(cwd, file));
  }
  await symlink(path.join(ROOT, "node_modules"), path.join(cwd, "node_modules"));
  const state = JSON.parse(await engine.pulumi(["stack", "export", "--show-secrets"])) as State;
  const file = path.join(cwd, "resources.json");
  await writeFile(file, JSON.stringify(state.deployment.resources), { mode: 0o600 });
  return (args) => engine.pulumi(args, { cwd });
}

interface State {
  deployment: { resources: unknown[] };
}

/** Returns a program that creates a separate stack with `count` resources of one cheap type. */
async function manyResources(count: number, cloud: Cloud, engine: Engine): Promise<Program> {
  const name = `many-${count}`;
  const cwd = path.join(cloud.pulumiDir, name);
  await cp(path.join(BENCH, "many"), cwd, { recursive: true });
  await symlink(path.join(ROOT, "node_modules"), path.join(cwd, "node_modules"));
  const env = {
    ...engine.env,
    MANY: String(count),
    PULUMI_STACK: name,
    PULUMI_OPTION_CONFIG_FILE: path.join(cwd, `Pulumi.${name}.yaml`),
  };
  const run = (args: string[]) =>
    execa(path.join(cloud.binDir, "pulumi"), args, { cwd, env, stdin: "ignore" });
  await run(["stack", "init", name]);
  return run;
}
