import { rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { projectDir } from "../project/directory.ts";
import { shellWord } from "../support/shell.ts";

/**
 * Installs a launcher in front of the language host, which is in the same directory as `pulumi-language-nodejs-host`.
 *
 * The language host that is published as a Go module reads the runtime options only from flags, but the current engine
 * sends them in requests. Therefore the launcher passes the options of Pulumi.yaml as flags. That language host does
 * not run policy packs either. If the engine, which is the launcher's parent, has arguments that name a policy pack,
 * the launcher starts the proxy of this directory in front of the language host. In other runs, the engine doesn't have
 * to wait for the proxy's start.
 *
 * @param binDir directory where the engine finds the language host
 */
export async function installLanguageHost(binDir: string): Promise<void> {
  const launcher = path.join(binDir, "pulumi-language-nodejs");
  const files = ["packages/local-cloud/plugin/start.cjs", "packages/local-cloud/language-host/main.ts"];
  const proxy = [process.execPath, ...files.map((file) => path.join(projectDir, file))]
    .map(shellWord)
    .join(" ");
  // An absolute path because the benchmark's programs are in other directories.
  const loader = path.join(projectDir, "loader.mjs");
  const script = [
    "#!/bin/sh",
    `set -- ${shellWord(`${launcher}-host`)} -typescript=false ${shellWord(`-nodeargs=--import ${shellWord(loader)}`)} "$@"`,
    `if grep -qze '^--policy-pack' "/proc/$PPID/cmdline"; then exec ${proxy} "$@"; fi`,
    'exec "$@"',
    "",
  ].join("\n");
  // Replaced by rename: the existing file may be a hard link into the cache.
  await writeFile(`${launcher}.new`, script, { mode: 0o755 });
  await rename(`${launcher}.new`, launcher);
}
