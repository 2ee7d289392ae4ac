import { defineConfig } from "vitest/config";

/** Unit tests: no cluster, no network, no root. */
export default defineConfig({
  test: {
    include: ["tests/unit/**/*.test.ts", "local/**/*.test.ts"],
    // For a machine that does other work meanwhile; alone, the longest takes 2 s.
    testTimeout: 60_000,
    pool: "threads",
  },
});
