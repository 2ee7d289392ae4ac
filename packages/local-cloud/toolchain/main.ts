import { readCommandLine } from "../../../lib/command-line.ts";
import { ToolchainError, ensureToolchain, removeOutdated } from "./build.ts";

// Builds missing tools: all, or those with the named binaries. With --sweep, it removes tools that were built from older
// sources: a cache such as CI's would grow otherwise.
const { values, positionals: names } = readCommandLine({
  usage: "npx tsx packages/local-cloud/toolchain/main.ts [BINARY ...] [--sweep]",
  options: { sweep: { type: "boolean", default: false } },
  positionals: [0, Infinity],
});
try {
  const start = Date.now();
  const toolchain = await ensureToolchain(names.length > 0 ? { only: names } : {});
  console.log(`toolchain: ready in ${toolchain.cacheDir} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
  for (const name of names) console.log(toolchain.path(name));
  if (values.sweep) await removeOutdated(toolchain);
} catch (error) {
  if (!(error instanceof ToolchainError)) throw error;
  console.error(`toolchain: ${error.message}`);
  process.exitCode = 1;
}
