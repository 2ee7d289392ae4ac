import type * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import { EXPECTED_DAYS } from "../run-rules.ts";
import { chosen, chosenTests } from "./variables.ts";

/** Label matchers for the selected code levels and tests. */
export const CHOSEN_TESTS = `${chosen("code_level")}, ${chosenTests("test_name")}`;
/** Label matchers for the selected code levels, tests and processes. */
export const CHOSEN = `${chosen("process")}, ${CHOSEN_TESTS}`;
/** Legend of a series. The test name comes last, because it is long and a legend truncates the end. */
export const NAME = "{{code_level}} · {{process}} · {{test_name}}";

/** Maximum gap in ms that a line connects: up to two missing nightly runs. */
export const SPANNED_GAP_MS = 3 * 24 * 3600 * 1000;

/** Lookback window for the last run. Code levels without a run in this window are not shown. */
export const LAST = `${EXPECTED_DAYS}d`;

/** Returns a transformation that keeps only these columns, in this order and with these names. */
export function columns(names: Record<string, string>): dashboard.DataTransformerConfig {
  const order = Object.keys(names);
  return {
    id: "organize",
    options: {
      excludeByName: { Time: true, job: true, __name__: true, process: !order.includes("process") },
      indexByName: Object.fromEntries(order.map((name, at) => [name, at])),
      renameByName: names,
    },
  };
}
