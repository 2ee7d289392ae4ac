import { defineConfig } from "vitest/config";

/** Whole-environment tests: the real engine on a local cloud of the test's own. */
export default defineConfig({
  test: {
    include: ["tests/environment/**/*.test.ts"],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 1_800_000,
    bail: 1,
    reporters: ["verbose"],
  },
});
