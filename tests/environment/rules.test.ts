import { beforeAll, describe, expect, test } from "vitest";
import type { RecordingGroup } from "../../monitoring-mixin/recording-rules.ts";
import { recordingGroups } from "../../monitoring-mixin/recording-rules.ts";
import { alerts } from "../../monitoring-mixin/alerts/index.ts";
import { DEFAULT_THRESHOLDS } from "../../monitoring-mixin/thresholds.ts";
import { dashboards } from "../../monitoring-mixin/dashboards/index.ts";
import { constant, DAY, HOUR, nightly, rawSeries } from "./nightly-runs.ts";
import { Promtool } from "./promtool.ts";
import type { RuleTest } from "./promtool.ts";

const [runs, health] = recordingGroups() as [RecordingGroup, RecordingGroup];

let promtool: Promtool;

beforeAll(async () => {
  promtool = await Promtool.find();
});

test("every expression parses", async () => {
  const exprs = alerts(DEFAULT_THRESHOLDS).map(({ name, expr }) => ({ alert: name, expr }));
  expect(await promtool.check([runs, health, { name: "alerts", rules: exprs }])).toBe("");
  const panels = Object.values(dashboards(DEFAULT_THRESHOLDS)).flatMap(({ title, panels = [] }) =>
    (panels as unknown as { id: number; targets: { expr: string }[] }[]).flatMap(({ id, targets }) =>
      targets.map(({ expr }, at) => ({
        record: `panel:${title.replaceAll(/[^a-z0-9]/gi, "_")}_${id}_${at}`,
        expr: expr.replaceAll(/\$__(rate_)?interval|\$__range/g, "1h"),
      })),
    ),
  );
  expect(panels.length).toBeGreaterThan(30);
  expect(await promtool.check([{ name: "panels", rules: panels }])).toBe("");
});

const meanLabels = '{code_level="A", job="k8sfv", process="felix", test_name="leak"}';

describe("a run is recorded once", () => {
  const count = "count_over_time(run:k8sfv_occupancy_mean_bytes[20d])";

  test.each<[string, RuleTest]>([
    [
      "however long the gateway shows it",
      {
        name: "three nights",
        series: rawSeries(nightly(3), 4 * DAY),
        queries: [
          { minute: 4 * DAY, expr: count, samples: [{ labels: meanLabels, value: 3 }] },
          // All nightly runs push the same value, but each push is recorded as a run of its own: the count is 3 after
          // three nights and 1 after the first night.
          { minute: 66, expr: count, samples: [{ labels: meanLabels, value: 1 }] },
        ],
      },
    ],
    [
      "when Prometheus was down at the push, as soon as it is back",
      {
        name: "down",
        series: rawSeries(nightly(1), 2 * DAY).map(({ series }) => constant(series, 500, 1000, 7)),
        queries: [{ minute: 1000, expr: count, samples: [{ labels: meanLabels, value: 1 }] }],
      },
    ],
    [
      "when Prometheus is down while the gateway shows a run that was recorded before",
      {
        name: "gap",
        series: rawSeries(nightly(1), 300).map(({ series, values }) => ({
          series,
          values: values.replace("stale", "_x500 ") + (series.startsWith("push") ? "3600x300" : "100x300"),
        })),
        queries: [{ minute: 1000, expr: count, samples: [{ labels: meanLabels, value: 1 }] }],
      },
    ],
    [
      "for each of two code levels whose pushes are minutes apart",
      {
        name: "two levels",
        series: rawSeries(
          [
            { at: 60, level: "A" },
            { at: 63, level: "B" },
          ],
          DAY,
        ),
        queries: [
          {
            minute: 120,
            expr: `sum by (code_level) (${count})`,
            samples: ["A", "B"].map((level) => ({ labels: `{code_level="${level}"}`, value: 1 })),
          },
          {
            minute: 120,
            expr: "max by (code_level) (last_over_time(run:k8sfv_test_push_time_seconds[7d]))",
            samples: [
              { labels: '{code_level="A"}', value: 3600 },
              { labels: '{code_level="B"}', value: 3780 },
            ],
          },
        ],
      },
    ],
  ])("%s", async (_, one) => {
    expect(await promtool.test([runs], [one])).toBe("");
  });
});

test("the median of the runs in the previous 7 days is the same at whatever time of the day it is queried", async () => {
  const nights = nightly(10, (night) => ({ mean: [500, 900, 1, 2, 3, 40, 50, 60, 70, 1000][night] ?? 0 }));
  const at = (night: number, value: number, later = 5) => ({
    minute: night * DAY + 60 + later,
    expr: "last_over_time(nightly:k8sfv_occupancy_mean_bytes:median7d[1d])",
    samples: [
      {
        labels:
          'nightly:k8sfv_occupancy_mean_bytes:median7d{code_level="A", process="felix", test_name="leak"}',
        value,
      },
    ],
  });
  expect(
    await promtool.test(
      [runs],
      [
        {
          name: "medians",
          series: rawSeries(nights, 11 * DAY),
          // Expected medians. Night 3: the median of 500, 900 and 1. Night 8: the median of nights 1 to 7.
          // Night 9: the median of nights 2 to 8.
          queries: [at(3, 500), at(8, 40), at(8, 40, 23 * HOUR), at(9, 40)],
        },
      ],
    ),
  ).toBe("");
});
