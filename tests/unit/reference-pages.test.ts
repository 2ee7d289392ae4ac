import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { RECORDED_METRICS } from "../../monitoring-mixin/metrics.ts";
import { WORKLOADS } from "../../lib/workloads.ts";
import { page, root, tableRows } from "../pages.ts";

/** Returns the names in code font in the first column of a page's tables. */
function firstColumn(file: string): string[] {
  return tableRows(page(file)).flatMap(([cell = ""]) => /^`(\w+)`$/.exec(cell)?.[1] ?? []);
}

test("docs/outputs.md lists exactly the outputs of the program", () => {
  const program = readFileSync(path.join(root, "index.ts"), "utf8");
  const outputs = [...program.matchAll(/^export const (\w+)/gm)].map(([, name]) => name);
  expect(outputs.length).toBeGreaterThan(5);
  expect(firstColumn("docs/outputs.md").toSorted(), "change the table in docs/outputs.md").toEqual(
    outputs.toSorted(),
  );
});

test("docs/metrics.md lists exactly the metrics that are recorded per run", () => {
  expect(
    firstColumn("docs/metrics.md").toSorted(),
    "change the table in docs/metrics.md; RECORDED_METRICS is in monitoring-mixin/metrics.ts",
  ).toEqual(RECORDED_METRICS.toSorted());
});

test("docs/metrics.md names the environment's own jobs", () => {
  const sentence =
    /names? of one of the environment's own jobs:([^.]+)\./.exec(page("docs/metrics.md").text)?.[1] ?? "";
  const names = [...sentence.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
  expect(names.toSorted()).toEqual(
    [...Object.values(WORKLOADS).map(({ name }) => name), "push-proxy"].toSorted(),
  );
});
