import { rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { shellWord } from "../google/auth-plugin.ts";
import { projectDir } from "../plugin/version.ts";

/**
 * Puts a launcher before the language host, which lies beside it as `pulumi-language-nodejs-host`.
 *
 * The published host takes the runtime's options as flags alone, while the engine of today sends them
 * otherwise; so they are said here once more, as in Pulumi.yaml. And it runs no policy packs: when the engine
 * is given one, the host goes behind a proxy of ours that does, which takes a moment to start. So the launcher
 * looks at the arguments of the engine, its parent; nobody else waits for the proxy.
 *
 * @param binDir where the engine finds the language host
 */
export async function installLanguageHost(binDir: string): Promise<void> {
  const launcher = path.join(binDir, "pulumi-language-nodejs");
  const files = ["local/plugin/start.cjs", "local/language-host/main.ts"];
  const proxy = [process.execPath, ...files.map((file) => path.join(projectDir, file))]
    .map(shellWord)
    .join(" ");
  // By its whole path: the benchmark has programs in folders of their own.
  const loader = path.join(projectDir, "loader.mjs");
  const script = [
    "#!/bin/sh",
    `set -- ${shellWord(`${launcher}-host`)} -typescript=false ${shellWord(`-nodeargs=--import ${shellWord(loader)}`)} "$@"`,
    `if grep -qze '^--policy-pack' "/proc/$PPID/cmdline"; then exec ${proxy} "$@"; fi`,
    'exec "$@"',
    "",
  ].join("\n");
  // A new file: the one laid there before may be a link into the cache.
  await writeFile(`${launcher}.new`, script, { mode: 0o755 });
  await rename(`${launcher}.new`, launcher);
}
