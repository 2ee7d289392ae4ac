import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { overdue } from "../../monitoring-mixin/schedule.ts";
import type { ExpectedRuns } from "../../monitoring-mixin/thresholds.ts";

// These tests evaluate the PromQL expression of `overdue` in JavaScript. tests/rules/NightlyRunMissing.test.yaml tests
// it with promtool.

const DAY = 86_400;
const WORKDAYS: ExpectedRuns["days"] = ["mon", "tue", "wed", "thu", "fri"];

/**
 * Returns the age in seconds at which a run is overdue. Evaluates the PromQL as JavaScript, with implementations of the
 * PromQL functions that it calls.
 */
function maxAge(expected: ExpectedRuns, now: Date): number {
  const [scheduled = ""] = overdue({ runMissingHours: 26, expectedRuns: [expected] }).split(" or ");
  const promql = scheduled.split(" > ")[1] ?? "";
  const script = promql.replaceAll(/(day_of_week\(.*?\)\)) == bool (\d)/g, "Number($1 === $2)");
  return runInNewContext(script, {
    time: () => now.getTime() / 1000,
    vector: (seconds: number) => seconds,
    scalar: (value: number) => value,
    day_of_week: (seconds: number) => new Date(seconds * 1000).getUTCDay(),
  }) as number;
}

/** Returns the seconds since the second-latest time at which a run was due. */
function sinceSecondLatest({ days, by }: ExpectedRuns, now: Date): number {
  const midnight = Math.floor(now.getTime() / 1000 / DAY) * DAY;
  const [hours = 0, minutes = 0] = by.split(":").map(Number);
  const due = Array.from({ length: 20 }, (_, ago) => midnight - ago * DAY + hours * 3600 + minutes * 60)
    .filter((time) => time <= now.getTime() / 1000)
    .filter((time) => days.includes(weekday(time)));
  return now.getTime() / 1000 - (due[1] ?? 0);
}

function weekday(seconds: number): ExpectedRuns["days"][number] {
  const names = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;
  return names[new Date(seconds * 1000).getUTCDay()] ?? "sun";
}

test.each<[ExpectedRuns["days"], string]>([
  [WORKDAYS, "06:30"],
  [["mon"], "12:00"],
  [["sat", "sun"], "00:00"],
  [["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "23:59"],
])(
  "a run that is due on %s by %s is missing if there was none since the second-latest due time",
  (days, by) => {
    const expected = { codeLevels: "release-.*", days, by };
    for (let hour = 0; hour < 14 * 24; hour += 1) {
      const now = new Date(Date.UTC(2026, 10, 22, hour, 31));
      expect(maxAge(expected, now), now.toUTCString()).toBe(sinceSecondLatest(expected, now));
    }
  },
);

test("the first schedule that matches a code level applies; without a day, no run is expected", () => {
  const schedules: ExpectedRuns[] = [
    { codeLevels: "release-1", days: [], by: "12:00" },
    { codeLevels: "release-.*", days: ["mon"], by: "12:00" },
    { codeLevels: ".*-2", days: WORKDAYS, by: "12:00" },
  ];
  const parts = overdue({ runMissingHours: 26, expectedRuns: schedules }).split(" or ");
  const partsFor = (level: string) =>
    parts.flatMap((part, at) => {
      const matchers = [...part.matchAll(/code_level(=~|!~|!=)"(.*?)"/g)];
      const matches = matchers.every(([, operator, value = ""]) =>
        operator === "!="
          ? level !== value
          : new RegExp(`^(?:${value})$`).test(level) === (operator === "=~"),
      );
      return matches ? [at] : [];
    });
  expect(parts).toHaveLength(3);
  expect(partsFor("release-1")).toEqual([]);
  expect(partsFor("release-2")).toEqual([0]);
  expect(partsFor("master-2")).toEqual([1]);
  expect(partsFor("master")).toEqual([2]);
  expect(partsFor("dev")).toEqual([]);
  expect(parts[2]).toMatch(/> 93600$/);
});
