import { defineConfig } from "vitest/config";

/** Unit tests: no cluster, no network, no root. */
export default defineConfig({
  test: {
    include: ["tests/unit/**/*.test.ts", "local/**/*.test.ts"],
    testTimeout: 10_000,
    pool: "threads",
  },
});
