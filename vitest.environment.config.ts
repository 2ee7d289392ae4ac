import { defineConfig } from "vitest/config";
import { FailuresLast } from "./tests/failures-last.ts";

/** Directories of the environment tests: those of the project, and those of the local cloud itself. */
const DIRECTORIES = ["tests/environment", "packages/local-cloud/tests/environment"];

/** Names of the test files that `npm test` runs in 10 to 12 minutes on two cores. `npm run test-long` runs all files. */
const MAIN_JOB = [
  "go",
  "alert-rules",
  "alertmanager",
  "workflows",
  "crds",
  "official-images",
  "browser",
  "grafana-provider",
  "cluster",
  "push-proxy",
  "push-queue",
  "push-rule",
  "push-fuzz",
  "push-slow",
  "push-proxy-canary",
  "push-proxy-http",
  "push-proxy-quota",
  "push-proxy-store",
  "backfill",
  "whole",
];

/** Environment tests. Most of them run the real Pulumi engine on a separate local cloud. */
export default defineConfig(({ mode }) => ({
  test: {
    include:
      mode === "long"
        ? DIRECTORIES.map((directory) => `${directory}/**/*.test.ts`)
        : MAIN_JOB.map((name) => `{${DIRECTORIES.join(",")}}/${name}.test.ts`),
    env: { K8SFV_LONG: mode === "long" ? "1" : "" },
    globalSetup: ["tests/kill-leftovers.ts"],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 1_800_000,
    bail: mode === "long" ? 0 : 1,
    reporters: ["verbose", new FailuresLast()],
  },
}));
