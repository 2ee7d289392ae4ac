import { randomBytes } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { parse, stringify } from "yaml";
import { adopt } from "../tools/adopt.ts";
import type { Cloud } from "./cluster/cloud.ts";
import { findEngineProcesses } from "./cluster/processes.ts";
import { readIfThere, writeWhole } from "./files.ts";
import { freePort } from "../tools/free-port.ts";
import { images } from "../versions.ts";
import { builtNames, imagesToOverride } from "./images/names.ts";
import { runsOfficialImages } from "./images/official.ts";

/** The stack whose config is for local clouds. */
export const stack = "local";
const grafanaKey = "k8sfv-metrics:grafana";
const imagesKey = "k8sfv-metrics:images";
const projectDir = fileURLToPath(new URL("..", import.meta.url));

/** The Pulumi engine, with the project's program and this cloud as its Google. */
export interface Engine {
  /** What the engine, and everything it starts, needs to find the cloud. */
  env: Record<string, string>;
  /**
   * Runs `pulumi` with these arguments and gives its standard output; with `show`, people see it instead.
   * An error carries the output.
   */
  pulumi: (args: string[], options?: { cwd?: string; show?: boolean }) => Promise<string>;
}

/**
 * The engine on a cloud that was prepared before. Its home, state and passphrase lie in the cloud's folder,
 * so the person's own Pulumi is never touched, and the stack file of the project is only read.
 */
export function openEngine(cloud: Cloud): Engine {
  const env = {
    K8SFV_CLOUD: cloud.name,
    K8SFV_CRDS: cloud.crdsDir,
    PATH: `${cloud.binDir}:${process.env.PATH ?? ""}`,
    PULUMI_HOME: cloud.pulumiHome,
    // Without the file of attributes beside each file: an engine that is killed as it writes one leaves a state that
    // no engine reads any more ("failed to load checkpoint: EOF").
    PULUMI_BACKEND_URL: `file://${path.join(cloud.pulumiDir, "state")}?metadata=skip`,
    PULUMI_CONFIG_PASSPHRASE_FILE: path.join(cloud.pulumiDir, "passphrase"),
    PULUMI_STACK: stack,
    PULUMI_OPTION_CONFIG_FILE: configFile(cloud),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  };
  return {
    env,
    pulumi: async (args, { cwd = projectDir, show = false } = {}) => {
      const pulumi = path.join(cloud.binDir, "pulumi");
      if (show) {
        await execa(pulumi, args, { cwd, env, stdio: "inherit" });
        return "";
      }
      return (await execa(pulumi, args, { cwd, env, stdin: "ignore" })).stdout;
    },
  };
}

/**
 * `pulumi up`. When it is refused, what a run that was killed left at Google is taken over, and it is tried
 * once more; not when somebody stopped it.
 *
 * @throws Error of the engine's
 */
export async function bringUp(
  engine: Engine,
  options: { show?: boolean; stopped?: AbortSignal } = {},
): Promise<void> {
  const up = () => engine.pulumi(["up", "--yes", "--skip-preview", "--suppress-outputs"], options);
  try {
    await up();
  } catch (error) {
    if (options.stopped?.aborted === true) throw error;
    const { imported } = await adopt(engine.pulumi);
    if (imported.length === 0) throw error;
    console.error(`Imported from a run that did not end: ${imported.length} resources. Once more:`);
    await up();
  }
}

/** Creates the stack, its state and its passphrase, when they don't exist yet. */
export async function initStack(cloud: Cloud, engine: Engine): Promise<void> {
  const workDir = path.join(cloud.pulumiDir, "project");
  await mkdir(cloud.pulumiDir, { recursive: true, mode: 0o700 });
  await mkdir(path.join(cloud.pulumiDir, "state"), { recursive: true });
  // A file where the engine wants its folder of logs: it keeps none then. Writing them, whole and encrypted,
  // was half of its work in a preview (6.5 of 12.5 s of CPU time).
  await mkdir(cloud.pulumiHome, { recursive: true });
  await writeFile(path.join(cloud.pulumiHome, "logs"), "");
  await mkdir(workDir, { recursive: true });
  const passphraseFile = engine.env.PULUMI_CONFIG_PASSPHRASE_FILE ?? "";
  if ((await readIfThere(passphraseFile)) === undefined) {
    await writeWhole(passphraseFile, randomBytes(24).toString("base64url"), 0o600);
  }
  const before = parse((await readIfThere(configFile(cloud))) ?? "{}") as Partial<StackFile>;
  const wanted = parse(await readFile(path.join(projectDir, `Pulumi.${stack}.yaml`), "utf8")) as StackFile;
  const file = ofCloud(wanted, before, await freePort());
  if (runsOfficialImages()) file.config[imagesKey] = builtNames();
  await writeWhole(configFile(cloud), stringify(file));
  await copyFile(path.join(projectDir, "Pulumi.yaml"), path.join(workDir, "Pulumi.yaml"));
  // A killed engine can't give back its lock; one that runs still holds it rightly.
  if ((await findEngineProcesses(cloud)).length === 0)
    await removeLeftovers(path.join(cloud.pulumiDir, "state"));
  if (before.encryptionsalt === undefined) {
    await engine.pulumi(["stack", "init", stack], { cwd: workDir });
  }
}

/** The locks of engines that are gone, and the attributes that older clouds have. */
async function removeLeftovers(state: string): Promise<void> {
  await rm(path.join(state, ".pulumi/locks"), { recursive: true, force: true });
  for (const file of await readdir(state, { recursive: true })) {
    if (file.endsWith(".attrs")) await rm(path.join(state, file), { force: true });
  }
}

/** A stack's file, as far as it matters here. */
export interface StackFile {
  encryptionsalt?: string;
  config: Record<string, unknown> & {
    [grafanaKey]?: { tunnelPort?: number; [key: string]: unknown };
    [imagesKey]?: Record<string, string>;
  };
}

/**
 * A cloud's own copy of the project's stack file: the engine writes the salt of the passphrase into it. Clouds side by
 * side must not meet in one tunnel to Grafana, so each has a port, which stays.
 *
 * @param before - the copy of the last start
 * @param port - the tunnel's in a new copy
 * @param pinned - the images of versions.ts; those built here have no digest, so the copy names them without it
 */
export function ofCloud(
  wanted: StackFile,
  before: Partial<StackFile>,
  port: number,
  pinned: Readonly<Record<string, string>> = images,
): StackFile {
  const tunnelPort = before.config?.[grafanaKey]?.tunnelPort ?? port;
  const grafana = { tunnelPort, ...wanted.config[grafanaKey] };
  const overrides = { ...imagesToOverride(pinned), ...wanted.config[imagesKey] };
  return {
    ...before,
    config: {
      ...wanted.config,
      [grafanaKey]: grafana,
      ...(Object.keys(overrides).length === 0 ? {} : { [imagesKey]: overrides }),
    },
  };
}

/** The outputs of the stack by name; secrets in the clear. */
export async function stackOutputs(engine: Engine): Promise<Record<string, unknown>> {
  const json = await engine.pulumi(["stack", "output", "--json", "--show-secrets"]);
  return JSON.parse(json) as Record<string, unknown>;
}

function configFile(cloud: Cloud): string {
  return path.join(cloud.pulumiDir, "project", `Pulumi.${stack}.yaml`);
}
