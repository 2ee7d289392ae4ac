import { cp, link, mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { bundle } from "../plugin/bundle.ts";
import { pluginVersion } from "../plugin/version.ts";
import { projectDir } from "../project/directory.ts";
import { shellWord } from "../support/shell.ts";

/** Locations of built binaries. */
interface Binaries {
  path(binary: string): string;
}

/**
 * Plugins emulated in TypeScript: npm package and main module. "npm start" bundles and installs them each time, with the
 * latest changes of their sources.
 */
const ownPlugins = {
  gcp: { npm: "@pulumi/gcp", main: "packages/local-cloud/google/main.ts" },
  random: { npm: "@pulumi/random", main: "packages/local-cloud/random/main.ts" },
};

/** Real plugins, which the toolchain builds. */
const builtPlugins = {
  kubernetes: { npm: "@pulumi/kubernetes" },
  grafana: { npm: "@pulumiverse/grafana" },
};

/**
 * Installs the provider plugins into a Pulumi home, in the versions that their npm packages require. Replaces
 * existing ones.
 *
 * @param pulumiHome the engine's `PULUMI_HOME`
 */
export async function installPlugins(pulumiHome: string, toolchain: Binaries): Promise<void> {
  // Installs the toolchain's plugins first, so that an incomplete toolchain is reported before the other plugins are
  // bundled, which takes seconds.
  for (const [name, { npm }] of Object.entries(builtPlugins)) {
    const file = await pluginFile(pulumiHome, name, pluginVersion(npm));
    await rm(`${file}.new`, { force: true });
    await linkOrCopy(toolchain.path(`pulumi-resource-${name}`), `${file}.new`);
    await rename(`${file}.new`, file);
  }
  for (const [name, { npm, main }] of Object.entries(ownPlugins)) {
    const file = await pluginFile(pulumiHome, name, pluginVersion(npm));
    const program = await bundle(path.join(projectDir, main), path.dirname(file));
    await writeFile(`${file}.new`, launcher(program), { mode: 0o755 });
    await rename(`${file}.new`, file);
  }
}

/**
 * Creates a plugin's directory and returns the path of its executable. The engine considers a directory
 * complete unless a `.partial` file is next to it.
 */
async function pluginFile(pulumiHome: string, name: string, version: string): Promise<string> {
  const folder = path.join(pulumiHome, "plugins", `resource-${name}-v${version}`);
  await mkdir(folder, { recursive: true });
  return path.join(folder, `pulumi-resource-${name}`);
}

/** Hard-links a binary of the toolchain, or copies it if the file system does not allow that. */
async function linkOrCopy(source: string, target: string): Promise<void> {
  await stat(source).catch(() => {
    throw new Error(`${source} is missing: the toolchain is incomplete: build it again with "npm start"`);
  });
  await link(source, target).catch(() => cp(source, target));
}

/** Returns a script that runs a plugin with the current Node. `exec` lets the engine's signals reach the plugin. */
function launcher(program: string): string {
  return `#!/bin/sh\nexec ${[process.execPath, program].map(shellWord).join(" ")} "$@"\n`;
}
