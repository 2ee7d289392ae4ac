/** Programs built from Go modules, in a cache. */
export { ensureToolchain, type Toolchain } from "./build.ts";
export { defaultCacheDir, fill, type Workspace } from "./cache.ts";
export { TEST_TOOLS, TOOLS, type Tool } from "./tools.ts";
