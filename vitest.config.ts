import { availableParallelism } from "node:os";
import { configDefaults, defineConfig } from "vitest/config";

/** Unit tests: no cluster, no network, no root. */
export default defineConfig({
  test: {
    include: ["tests/unit/**/*.test.ts", "packages/local-cloud/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "packages/local-cloud/tests/environment/**"],
    // For a machine that does other work meanwhile; alone, the longest takes 2 s.
    testTimeout: 60_000,
    pool: "threads",
    // A worker for each core, instead of one less: tests often wait for child processes and connections.
    maxWorkers: availableParallelism(),
    // Files share the modules that they import: loading Pulumi's SDK for each took half of the time. No file may
    // leave changed global state behind.
    isolate: false,
  },
});
