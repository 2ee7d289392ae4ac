import { defineConfig } from "vitest/config";
import { FailuresLast } from "./tests/failures-last.ts";

/** Directories of the whole-environment tests: of the project, and of the local cloud itself. */
const DIRECTORIES = ["tests/environment", "packages/local-cloud/tests/environment"];

/** Files of `npm test`, which takes about six minutes. `npm run test-long` runs all files. */
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
  "backfill",
  "whole",
];

/** Whole-environment tests: the real engine on a local cloud of the test's own. */
export default defineConfig(({ mode }) => ({
  test: {
    include:
      mode === "long"
        ? DIRECTORIES.map((directory) => `${directory}/**/*.test.ts`)
        : MAIN_JOB.map((name) => `{${DIRECTORIES.join(",")}}/${name}.test.ts`),
    env: { K8SFV_LONG: mode === "long" ? "1" : "" },
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 1_800_000,
    bail: mode === "long" ? 0 : 1,
    reporters: ["verbose", new FailuresLast()],
  },
}));
