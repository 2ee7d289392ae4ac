import { cp, link, mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { shellWord } from "./google/auth-plugin.ts";
import { bundle } from "./plugin/bundle.ts";
import { pluginVersion, projectDir } from "./plugin/version.ts";

/** Where the binaries are. */
interface Binaries {
  path(binary: string): string;
}

/** Plugins that this project serves from TypeScript: npm package and main file. A change of theirs takes an `npm start`. */
const ownPlugins = {
  gcp: { npm: "@pulumi/gcp", main: "local/google/main.ts" },
  random: { npm: "@pulumi/random", main: "local/random/main.ts" },
};

/** Plugins that are the real ones, from the toolchain. */
const builtPlugins = {
  kubernetes: { npm: "@pulumi/kubernetes" },
  grafana: { npm: "@pulumiverse/grafana" },
};

/**
 * Lays the provider plugins into a Pulumi home, each under the version that its npm package asks the
 * engine for. What is there already is replaced, so this may be repeated after an update.
 *
 * @param pulumiHome the engine's `PULUMI_HOME`
 */
export async function installPlugins(pulumiHome: string, toolchain: Binaries): Promise<void> {
  for (const [name, { npm, main }] of Object.entries(ownPlugins)) {
    const file = await pluginFile(pulumiHome, name, pluginVersion(npm));
    const program = await bundle(path.join(projectDir, main), path.dirname(file));
    await writeFile(`${file}.new`, launcher(program), { mode: 0o755 });
    await rename(`${file}.new`, file);
  }
  for (const [name, { npm }] of Object.entries(builtPlugins)) {
    const file = await pluginFile(pulumiHome, name, pluginVersion(npm));
    await rm(`${file}.new`, { force: true });
    await linkOrCopy(toolchain.path(`pulumi-resource-${name}`), `${file}.new`);
    await rename(`${file}.new`, file);
  }
}

/** The plugin's file, its folder made. The engine takes a folder as a plugin that is whole, unless a `.partial` file lies beside it. */
async function pluginFile(pulumiHome: string, name: string, version: string): Promise<string> {
  const folder = path.join(pulumiHome, "plugins", `resource-${name}-v${version}`);
  await mkdir(folder, { recursive: true });
  return path.join(folder, `pulumi-resource-${name}`);
}

/** The toolchain's binary under a second name; a hard link where the file system allows it. */
async function linkOrCopy(source: string, target: string): Promise<void> {
  await stat(source).catch(() => {
    throw new Error(`${source} is missing: the toolchain is not whole, build it again`);
  });
  await link(source, target).catch(() => cp(source, target));
}

/** Starts a plugin with the Node that installs it. `exec`, so that the engine's signals reach it. */
function launcher(program: string): string {
  return `#!/bin/sh\nexec ${[process.execPath, program].map(shellWord).join(" ")} "$@"\n`;
}
