import { NIGHTLY } from "./metrics.ts";
import { EXPECTED_DAYS } from "./run-rules.ts";
import type { AlertThresholds, ExpectedRuns } from "./thresholds.ts";

/** Limits that decide when a run is overdue. */
export type Schedule = Pick<AlertThresholds, "runMissingHours" | "expectedRuns">;

const DAY = 86_400;
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;

/**
 * Returns PromQL for the seconds since the last run of each overdue code level.
 *
 * A code level that matches `expectedRuns` must push between each due time and the next one. It is overdue when its
 * last push is older than the second-latest due time. Other code levels must push every `runMissingHours`.
 *
 * @param of - label matcher of the code levels to check. Default: all except developers' runs
 */
export function overdue({ runMissingHours, expectedRuns }: Schedule, of = NIGHTLY): string {
  const patterns = expectedRuns.map(({ codeLevels }) => codeLevels);
  const scheduled = expectedRuns.flatMap((expected, at) => {
    const earlier = patterns.slice(0, at).map((pattern) => `code_level!~${quoted(pattern)}`);
    const gaps = gapsOf(expected);
    if (gaps === undefined) return [];
    const matchers = [of, `code_level=~${quoted(expected.codeLevels)}`, ...earlier];
    const age = sinceLastRun(matchers, EXPECTED_DAYS + Math.max(...gaps));
    return [`${age} > ${sincePreviousDueTime(expected, gaps)}`];
  });
  const others = [of, ...patterns.map((pattern) => `code_level!~${quoted(pattern)}`)];
  return [...scheduled, `${sinceLastRun(others, EXPECTED_DAYS)} > ${runMissingHours * 3600}`].join(" or ");
}

function sinceLastRun(matchers: string[], days: number): string {
  const pushed = `nightly:k8sfv_test_push_time_seconds{${matchers.join(", ")}}`;
  return `time() - max by (code_level) (last_over_time(${pushed}[${days}d]))`;
}

/**
 * Returns for each weekday, starting with Sunday, how many days earlier the second-latest due time was; undefined if no
 * day is due. Example: runs are due from Monday to Friday. On a Sunday the latest due time was on Friday and the
 * second-latest on Thursday, so the value for Sunday is 3.
 */
function gapsOf({ days }: ExpectedRuns): number[] | undefined {
  if (days.length === 0) return undefined;
  const isDue = (weekday: number) => days.includes(WEEKDAYS[((weekday % 7) + 7) % 7] ?? "sun");
  return WEEKDAYS.map((_, weekday) => {
    let gap = 0;
    for (let due = 0; due < 2; gap++) if (isDue(weekday - gap)) due++;
    return gap - 1;
  });
}

/**
 * Returns a PromQL scalar: seconds since the second-latest due time. The expression sets the clock back by the time of
 * day at which runs are due (`by`). On that clock runs are due at midnight, so the result is the time since midnight
 * plus the days in `gaps` (from {@link gapsOf}) for the weekday.
 */
function sincePreviousDueTime({ by }: ExpectedRuns, gaps: number[]): string {
  const [hours = 0, minutes = 0] = by.split(":").map(Number);
  const shifted = `(time() - ${hours * 3600 + minutes * 60})`;
  const days = gaps.map((gap, weekday) => `${gap} * (day_of_week(vector(${shifted})) == bool ${weekday})`);
  return `(${shifted} % ${DAY} + ${DAY} * scalar(${days.join(" + ")}))`;
}

function quoted(pattern: string): string {
  return JSON.stringify(pattern);
}
