import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { RECORDED_METRICS } from "../../monitoring-mixin/metrics.ts";
import { runRules } from "../../monitoring-mixin/run-rules.ts";
import { root } from "../pages.ts";

test.each([
  "packages/local-cloud/sample-run/metrics.go",
  "packages/local-cloud/history/record.go",
  "packages/local-cloud/history/scrape.go",
])("%s contains every recorded metric, so that panels have data on the local cloud", (file) => {
  const source = readFileSync(path.join(root, file), "utf8");
  const missing = RECORDED_METRICS.filter((metric) => !source.includes(`"${metric}"`));
  expect(missing, `RECORDED_METRICS (monitoring-mixin/metrics.ts) that ${file} lacks: add them`).toEqual([]);
});

test("every recorded metric has a rule for nightly runs", () => {
  const records = runRules().map(({ record }) => record);
  const missing = RECORDED_METRICS.filter((metric) => !records.includes(`nightly:${metric}`));
  expect(missing, "metrics without a rule `nightly:…` in monitoring-mixin/run-rules.ts").toEqual([]);
});
