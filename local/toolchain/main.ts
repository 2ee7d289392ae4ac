import { parseArgs } from "node:util";
import { ToolchainError, ensureToolchain, removeOlder } from "./build.ts";

// Builds what the cache lacks: everything, or what the named binaries need.
// With --sweep, what older sources made is removed: for a cache that only grows otherwise, as CI's.
const { values, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { sweep: { type: "boolean", default: false } },
});
try {
  const start = Date.now();
  const toolchain = await ensureToolchain(names.length > 0 ? { only: names } : {});
  console.log(`toolchain: ready in ${toolchain.cacheDir} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
  for (const name of names) console.log(toolchain.path(name));
  if (values.sweep) await removeOlder(toolchain);
} catch (error) {
  if (!(error instanceof ToolchainError)) throw error;
  console.error(`toolchain: ${error.message}`);
  process.exitCode = 1;
}
