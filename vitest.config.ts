import { availableParallelism } from "node:os";
import { configDefaults, defineConfig } from "vitest/config";

/** Unit tests: no cluster, no network, no root. */
export default defineConfig({
  test: {
    include: ["tests/unit/**/*.test.ts", "packages/local-cloud/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "packages/local-cloud/tests/environment/**"],
    // The tests must also pass on a computer that does other work. On an idle one, the longest test takes 4 s.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "threads",
    // One worker more than there are cores, because tests often wait for child processes and connections. Vitest's
    // default is one less than there are cores.
    maxWorkers: availableParallelism() + 1,
    // Test files share the modules that they import. Otherwise, loading Pulumi's SDK for each file would take half of
    // the time. Therefore no file may leave changed global state behind.
    isolate: false,
    // Keeps transformed modules between runs, in node_modules.
    experimental: { fsModuleCache: true },
    setupFiles: ["tests/unit/setup.ts"],
  },
});
