import { ToolchainError, ensureToolchain } from "./build.ts";

// Builds what the cache lacks: everything, or what the named binaries need.
const names = process.argv.slice(2);
try {
  const start = Date.now();
  const toolchain = await ensureToolchain(names.length > 0 ? { only: names } : {});
  console.log(`toolchain: ready in ${toolchain.cacheDir} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
  for (const name of names) console.log(toolchain.path(name));
} catch (error) {
  if (!(error instanceof ToolchainError)) throw error;
  console.error(`toolchain: ${error.message}`);
  process.exitCode = 1;
}
