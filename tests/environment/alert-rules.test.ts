import { readdirSync } from "node:fs";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { ensureToolchain } from "k8sfv-local-cloud/toolchain";
import { alertGroups, alerts } from "../../monitoring-mixin/alerts/index.ts";
import { recordingGroups } from "../../monitoring-mixin/recording-rules.ts";
import type { ExpectedRuns } from "../../monitoring-mixin/thresholds.ts";
import { DEFAULT_THRESHOLDS } from "../../monitoring-mixin/thresholds.ts";

/**
 * Directory of the rule tests in promtool's format: a file for each alert, and one for the recording rules of runs.
 * `writeRules` writes the rule files that they load.
 */
const TESTS = fileURLToPath(new URL("../rules", import.meta.url));
const files = readdirSync(TESTS).filter((file) => file.endsWith(".test.yaml"));

const SCHEDULES: ExpectedRuns[] = [
  { codeLevels: "weekdays-.*", days: ["mon", "tue", "wed", "thu", "fri"], by: "06:00" },
  { codeLevels: "never", days: [], by: "12:00" },
];

let folder: string;
let promtool: string;

beforeAll(async () => {
  promtool = (await ensureToolchain({ only: ["promtool"] })).path("promtool");
  folder = await mkdtemp(path.join(tmpdir(), "k8sfv-rules-"));
  await cp(TESTS, folder, { recursive: true });
  await writeRules();
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/**
 * Writes each recording group and each alert to a separate file, so that a test evaluates only the rules that it needs.
 * In these files, groups have no interval, so that the tests' evaluation_interval applies. Alerts keep only the
 * annotation `summary`: the others contain no templates, so the tests needn't repeat them. The file all.yaml contains
 * all groups unchanged.
 */
async function writeRules(): Promise<void> {
  const write = (file: string, groups: object[]) => writeFile(path.join(folder, file), stringify({ groups }));
  const recording = recordingGroups();
  const alerting = alertGroups({
    thresholds: { ...DEFAULT_THRESHOLDS, expectedRuns: SCHEDULES },
    runbookUrl: "docs/operations.md",
    grafanaLink: (link) => `http://10.248.1.7:3000${link}`,
  });
  for (const { name, rules } of recording) {
    await write(`${name.replace("k8sfv-", "")}.yaml`, [{ name, rules }]);
  }
  for (const { name, rules } of alerting) {
    for (const rule of rules) {
      const { summary } = rule.annotations;
      await write(`${rule.alert}.yaml`, [{ name, rules: [{ ...rule, annotations: { summary } }] }]);
    }
  }
  await write("all.yaml", [...recording, ...alerting]);
}

test("promtool check rules accepts all rules", async () => {
  const args = ["check", "rules", "--lint=all", "--lint-fatal", "all.yaml"];
  const { all, exitCode } = await execa(promtool, args, { cwd: folder, all: true, reject: false });
  expect(exitCode, all).toBe(0);
});

test("each alert has a test file", () => {
  const expected = alerts(DEFAULT_THRESHOLDS).map(({ name }) => `${name}.test.yaml`);
  expect(files.toSorted()).toEqual([...expected, "runs.test.yaml"].toSorted());
});

test.each(files)("the rule tests in %s succeed", async (file) => {
  const { all, exitCode } = await execa(promtool, ["test", "rules", file], {
    cwd: folder,
    all: true,
    reject: false,
  });
  expect(exitCode, all).toBe(0);
});
