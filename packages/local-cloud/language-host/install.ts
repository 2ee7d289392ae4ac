import { rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { projectDir } from "../project/directory.ts";
import { shellWord } from "../support/shell.ts";

/**
 * Installs the launcher `pulumi-language-nodejs`, which the engine starts as its language host. The launcher starts the
 * real language host, `pulumi-language-nodejs-host` in the same directory.
 *
 * The latest language host that is published as a Go module reads the runtime options only from flags, but the current
 * engine sends them in requests. Therefore the launcher passes the options of Pulumi.yaml as flags. That language host
 * does not run policy packs either. If the engine's arguments name a policy pack, the launcher starts the proxy
 * (main.ts), which starts the language host. Without a policy pack, it starts no proxy, because the proxy takes time to
 * start.
 *
 * @param binDir directory where the engine finds the language host
 */
export async function installLanguageHost(binDir: string): Promise<void> {
  const launcher = path.join(binDir, "pulumi-language-nodejs");
  const files = ["packages/local-cloud/plugin/start.cjs", "packages/local-cloud/language-host/main.ts"];
  const proxy = [process.execPath, ...files.map((file) => path.join(projectDir, file))]
    .map(shellWord)
    .join(" ");
  // An absolute path, because the benchmarks run programs in other directories.
  const loader = path.join(projectDir, "loader.mjs");
  const script = [
    "#!/bin/sh",
    `set -- ${shellWord(`${launcher}-host`)} -typescript=false ${shellWord(`-nodeargs=--import ${shellWord(loader)}`)} "$@"`,
    `if grep -qze '^--policy-pack' "/proc/$PPID/cmdline"; then exec ${proxy} "$@"; fi`,
    'exec "$@"',
    "",
  ].join("\n");
  // rename() replaces the existing file, which may be a hard link into the toolchain's cache. A write would change both.
  await writeFile(`${launcher}.new`, script, { mode: 0o755 });
  await rename(`${launcher}.new`, launcher);
}
