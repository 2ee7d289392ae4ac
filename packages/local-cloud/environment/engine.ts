import { randomBytes } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { parse, stringify } from "yaml";
import { freePort } from "../../../lib/free-port.ts";
import type { Cloud } from "../hosts/cloud.ts";
import { findEngineProcesses } from "../hosts/processes.ts";
import { builtNames } from "../images/names.ts";
import { runsOfficialImages } from "../images/official.ts";
import { projectDir } from "../project/directory.ts";
import { recoverStack } from "../project/recover.ts";
import { readFileIfExists, writeFileAtomic } from "../support/files.ts";
import { cloudStackFile, imagesKey, type StackFile } from "./stack-file.ts";

/** Name of the local clouds' stack. */
export const stack = "local";

/** Runs the Pulumi engine for a local cloud. */
export interface Engine {
  /** Environment variables for the engine and programs that it starts. */
  env: Record<string, string>;
  /**
   * Runs `pulumi` and returns its standard output. With `show`, the output goes to the terminal instead.
   * @throws ExecaError with the output when it fails
   */
  pulumi: (args: string[], options?: { cwd?: string; show?: boolean }) => Promise<string>;
}

/**
 * Returns the engine for a prepared cloud. The engine's home, state and passphrase are in the cloud's directory: the
 * engine does not use the developer's own Pulumi home, and does not write the project's stack file.
 */
export function openEngine(cloud: Cloud): Engine {
  const env = {
    K8SFV_CLOUD: cloud.name,
    K8SFV_CRDS: cloud.crdsDir,
    PATH: `${cloud.binDir}:${process.env.PATH ?? ""}`,
    PULUMI_HOME: cloud.pulumiHome,
    // Without `metadata=skip`, the engine writes metadata files. If it is killed while it writes one, no engine can
    // read the state any more ("failed to load checkpoint: EOF").
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
 * Runs `pulumi up`. If that fails, imports resources that a killed run left at Google and retries once,
 * except after Ctrl-C.
 *
 * @throws ExecaError of `pulumi up`
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
    const imported = await recoverStack(stack, engine.env);
    if (imported.length === 0) throw error;
    console.error(`Imported ${imported.length} resources of an interrupted run. Retrying:`);
    await up();
  }
}

/** Creates the stack, its state and its passphrase if they don't exist. */
export async function initStack(cloud: Cloud, engine: Engine): Promise<void> {
  const workDir = path.join(cloud.pulumiDir, "project");
  await mkdir(cloud.pulumiDir, { recursive: true, mode: 0o700 });
  await mkdir(path.join(cloud.pulumiDir, "state"), { recursive: true });
  // A regular file at the path of the engine's log directory disables its logs. Writing and encrypting them
  // took half of a preview's CPU time (6.5 of 12.5 s).
  await mkdir(cloud.pulumiHome, { recursive: true });
  await writeFile(path.join(cloud.pulumiHome, "logs"), "");
  await mkdir(workDir, { recursive: true });
  const passphraseFile = engine.env.PULUMI_CONFIG_PASSPHRASE_FILE ?? "";
  if ((await readFileIfExists(passphraseFile)) === undefined) {
    await writeFileAtomic(passphraseFile, randomBytes(24).toString("base64url"), 0o600);
  }
  const before = parse((await readFileIfExists(configFile(cloud))) ?? "{}") as Partial<StackFile>;
  const wanted = parse(await readFile(path.join(projectDir, `Pulumi.${stack}.yaml`), "utf8")) as StackFile;
  const file = cloudStackFile(wanted, before, await freePort());
  if (runsOfficialImages()) file.config[imagesKey] = builtNames();
  await writeFileAtomic(configFile(cloud), stringify(file));
  await copyFile(path.join(projectDir, "Pulumi.yaml"), path.join(workDir, "Pulumi.yaml"));
  // If no engine runs, existing locks were left by killed engines.
  if ((await findEngineProcesses(cloud)).length === 0)
    await removeLeftovers(path.join(cloud.pulumiDir, "state"));
  if (before.encryptionsalt === undefined) {
    await engine.pulumi(["stack", "init", stack], { cwd: workDir });
  }
}

/** Removes the locks of killed engines, and the metadata files that earlier versions of the local cloud wrote. */
async function removeLeftovers(state: string): Promise<void> {
  await rm(path.join(state, ".pulumi/locks"), { recursive: true, force: true });
  for (const file of await readdir(state, { recursive: true })) {
    if (file.endsWith(".attrs")) await rm(path.join(state, file), { force: true });
  }
}

/** Returns the stack's outputs by name, with secrets in plain text. */
export async function stackOutputs(engine: Engine): Promise<Record<string, unknown>> {
  const json = await engine.pulumi(["stack", "output", "--json", "--show-secrets"]);
  return JSON.parse(json) as Record<string, unknown>;
}

function configFile(cloud: Cloud): string {
  return path.join(cloud.pulumiDir, "project", `Pulumi.${stack}.yaml`);
}
