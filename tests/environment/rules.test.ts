import { beforeAll, describe, expect, test } from "vitest";
import type { RecordingGroup } from "../../alerts/recording-rules.ts";
import { recordingGroups } from "../../alerts/recording-rules.ts";
import { alerts } from "../../alerts/rules.ts";
import { dashboards } from "../../dashboards/index.ts";
import { DAY, held, HOUR, rawSeries } from "./nights.ts";
import type { Night } from "./nights.ts";
import { Promtool } from "./promtool.ts";
import type { RuleTest, Series } from "./promtool.ts";

const thresholds = { runMissingHours: 26, occupancyGrowthPercent: 10, diskFullDays: 14 };

const [runs, health] = recordingGroups() as [RecordingGroup, RecordingGroup];

let promtool: Promtool;

beforeAll(async () => {
  promtool = await Promtool.find();
});

test("every expression parses", async () => {
  const asked = alerts(thresholds).map(({ title, expr }) => ({ alert: title, expr }));
  expect(await promtool.check([runs, health, { name: "alerts", rules: asked }])).toBe("");
  const panels = Object.values(dashboards()).flatMap(({ title, panels = [] }) =>
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

/** Every night at minute 60 of the day, so many nights, one code level. */
function nightly(nights: number, of: (night: number) => Partial<Night> = () => ({})): Night[] {
  return Array.from({ length: nights }, (_, n) => ({ at: n * DAY + 60, level: "A", ...of(n) }));
}

const meanLabels = '{code_level="A", job="k8sfv", process="felix", test_name="leak"}';

describe("a run is kept once", () => {
  const kept = `count_over_time(run:k8sfv_occupancy_mean_bytes[20d])`;

  test.each<[string, RuleTest]>([
    [
      "however long the gateway shows it",
      {
        name: "three nights",
        series: rawSeries(nightly(3), 4 * DAY),
        queries: [
          { minute: 4 * DAY, expr: kept, samples: [{ labels: meanLabels, value: 3 }] },
          // The value stays: it is pushed each night anew, and none is lost for being the same.
          { minute: 66, expr: kept, samples: [{ labels: meanLabels, value: 1 }] },
        ],
      },
    ],
    [
      "when Prometheus was down at the push, as soon as it is back",
      {
        name: "down",
        series: rawSeries(nightly(1), 2 * DAY).map(({ series }) => held(series, 500, 1000, 7)),
        queries: [{ minute: 1000, expr: kept, samples: [{ labels: meanLabels, value: 1 }] }],
      },
    ],
    [
      "when it is down while the gateway shows a run that was kept before",
      {
        name: "gap",
        series: rawSeries(nightly(1), 300).map(({ series, values }) => ({
          series,
          values: values.replace("stale", "_x500 ") + (series.startsWith("push") ? "3600x300" : "100x300"),
        })),
        queries: [{ minute: 1000, expr: kept, samples: [{ labels: meanLabels, value: 1 }] }],
      },
    ],
    [
      "each of two code levels that follow within minutes",
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
            expr: `sum by (code_level) (${kept})`,
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

test("the median is that of the 7 runs before, whenever it is asked for", async () => {
  const nights = nightly(10, (night) => ({ mean: [500, 900, 1, 2, 3, 40, 50, 60, 70, 1000][night] ?? 0 }));
  const at = (night: number, value: number, later = 5) => ({
    minute: night * DAY + 60 + later,
    expr: "last_over_time(run:k8sfv_occupancy_mean_bytes:median7[1d])",
    samples: [{ labels: `run:k8sfv_occupancy_mean_bytes:median7${meanLabels}`, value }],
  });
  expect(
    await promtool.test(
      [runs],
      [
        {
          name: "medians",
          series: rawSeries(nights, 11 * DAY),
          // Night 2: of 500 and 900. Night 8: of nights 1 to 7. Night 9: of nights 2 to 8.
          queries: [at(2, 700), at(8, 40), at(8, 40, 23 * HOUR), at(9, 40)],
        },
      ],
    ),
  ).toBe("");
});

/** A Prometheus that was there and scraped, so that something can be missing. */
const up = (from: number, to: number, job = "prom-gateway") => held(`up{job="${job}"}`, from, to, 1);
const level = (name: string) => ({ code_level: name });
const testOf = (name: string, of = "A") => ({ job: "k8sfv", test_name: name, code_level: of });
const meanOf = { job: "k8sfv", test_name: "leak", code_level: "A", process: "felix" };
const gateway = (from: number, to: number) => held('pushgateway_build_info{job="prom-gateway"}', from, to, 1);
const refusals = (from: number, to: number, value: number) =>
  held('pushgateway_http_requests_total{handler="push", code="400", method="put"}', from, to, value);
const failure = (from: number, value: number) =>
  held('push_failure_time_seconds{job="k8sfv"}', from, 3 * DAY, value);
const limit = held("prometheus_tsdb_retention_limit_bytes", 0, 10 * DAY, 1e9);

/** The parts that make up the space used, growing by so many bytes a minute from a half of the limit on. */
function diskUsed(from: number, to: number, perMinute: number): Series[] {
  const zero = (series: string) => held(series, from, to, 0);
  return [
    {
      series: "prometheus_tsdb_storage_blocks_bytes",
      values: `${from > 0 ? `_x${from} ` : ""}500000000+${perMinute}x${to - from}`,
    },
    zero("prometheus_tsdb_wal_storage_size_bytes"),
    zero("prometheus_tsdb_head_chunks_storage_size_bytes"),
    limit,
  ];
}

/** What there is, at which minute it is judged, and the alerts that fire then: none, where it isn't deserved. */
const cases: [
  alert: string,
  when: string,
  series: Series[],
  minute: number,
  firing: Record<string, string>[],
][] = [
  [
    "Nightly run is missing",
    "a code level has not run for 26 h, while another has",
    [...rawSeries([...nightly(3), { at: 3 * DAY + 70, level: "B" }], 4 * DAY)],
    2 * DAY + 60 + 26 * HOUR + 1,
    [level("A")],
  ],
  [
    "Nightly run is missing",
    "not yet 26 h",
    rawSeries(nightly(3), 4 * DAY),
    2 * DAY + 60 + 26 * HOUR - 1,
    [],
  ],
  [
    "Nightly run is missing",
    "dev, which is nobody's nightly run",
    rawSeries(
      nightly(1, () => ({ level: "dev" })),
      3 * DAY,
    ),
    60 + 30 * HOUR,
    [],
  ],
  [
    "Nightly run is missing",
    "a code level that was given up a week ago",
    rawSeries([{ at: 60, level: "old" }, ...nightly(9).slice(1)], 9 * DAY),
    8 * DAY + 65,
    [],
  ],
  ["Nightly run is missing", "none ever came, for 26 h", [up(0, 27 * HOUR)], 26 * HOUR + 2, [{}]],
  ["Nightly run is missing", "none ever came, in a new environment", [up(0, 3 * HOUR)], 2 * HOUR, []],
  [
    "Test fails",
    "in the last run",
    rawSeries(
      nightly(2, (n) => ({ results: { leak: 1 - n, ok: 1 } })),
      3 * DAY,
    ),
    DAY + 66,
    [testOf("leak")],
  ],
  [
    "Test fails",
    "in the run before, and passed now",
    rawSeries(
      nightly(2, (n) => ({ results: { leak: n } })),
      3 * DAY,
    ),
    DAY + 66,
    [],
  ],
  [
    "Test fails",
    "two days ago, no run since",
    rawSeries(
      nightly(1, () => ({ results: { leak: 0 } })),
      3 * DAY,
    ),
    2 * DAY + 66,
    [],
  ],
  [
    "Test is missing",
    "it ran yesterday",
    rawSeries(
      nightly(2, (n) => ({
        results: { leak: 1, ...(n === 0 && { gone: 1 }) },
      })),
      3 * DAY,
    ),
    DAY + 66,
    [testOf("gone")],
  ],
  [
    "Test is missing",
    "it came with a second run",
    rawSeries(
      [
        { at: 60, level: "A", results: { leak: 1, late: 1 } },
        { at: DAY + 60, level: "A", results: { leak: 1 } },
        { at: DAY + 90, level: "A", results: { leak: 1, late: 1 } },
      ],
      2 * DAY,
    ),
    DAY + 96,
    [],
  ],
  [
    "Test is missing",
    "another code level never had it",
    rawSeries(
      [
        { at: 60, level: "A", results: { leak: 1, own: 1 } },
        { at: 90, level: "B" },
      ],
      DAY,
    ),
    95,
    [],
  ],
  [
    "Occupancy grew",
    "by a fifth",
    rawSeries(
      nightly(8, (n) => ({ mean: n === 7 ? 120 : 100 })),
      9 * DAY,
    ),
    7 * DAY + 66,
    [meanOf],
  ],
  [
    "Occupancy grew",
    "by a twentieth",
    rawSeries(
      nightly(8, (n) => ({ mean: n === 7 ? 105 : 100 })),
      9 * DAY,
    ),
    7 * DAY + 66,
    [],
  ],
  [
    "Occupancy grew",
    "after one outlier among the runs before",
    rawSeries(
      nightly(8, (n) => ({ mean: n === 6 ? 10 : 100 })),
      9 * DAY,
    ),
    7 * DAY + 66,
    [],
  ],
  ["Occupancy grew", "the first run of all", rawSeries(nightly(1), DAY), 62, []],
  ["Push failed", "an hour ago", [failure(0, 2 * DAY * 60)], 2 * DAY + HOUR, [{ job: "k8sfv" }]],
  ["Push failed", "thirteen hours ago", [failure(0, 2 * DAY * 60)], 2 * DAY + 13 * HOUR, []],
  ["Push failed", "never", [failure(0, 0)], 2 * DAY, []],
  ["Push refused", "the first time", [gateway(0, 300), refusals(100, 300, 1)], 101, [{}]],
  ["Push refused", "before Prometheus came back", [gateway(100, 300), refusals(100, 300, 5)], 150, []],
  [
    "Push refused",
    "by a gateway that restarted since",
    [gateway(0, 100), refusals(0, 100, 5), gateway(102, 300)].filter((_, n) => n !== 2),
    200,
    [],
  ],
  [
    "Scrape target is down",
    "for six minutes",
    [up(0, 100), held('up{job="grafana"}', 0, 100, 0)],
    6,
    [{ job: "grafana" }],
  ],
  ["Scrape target is down", "for two", [{ series: 'up{job="grafana"}', values: "1x97 0x2" }], 100, []],
  ["Disk fills", "within ten days", diskUsed(0, 8 * DAY, 5e8 / (18 * DAY)), 8 * DAY, [{}]],
  ["Disk fills", "in a year", diskUsed(0, 8 * DAY, 5e8 / (365 * DAY)), 8 * DAY, []],
  ["Disk fills", "fast, but for a day alone", diskUsed(7 * DAY, 8 * DAY, 5e8 / (3 * DAY)), 8 * DAY, []],
];

describe("alerts", () => {
  test("each has cases that deserve it and cases that don't", () => {
    for (const { title } of alerts(thresholds)) {
      const mine = cases.filter(([alert]) => alert === title);
      expect(
        mine.some(([, , , , firing]) => firing.length > 0),
        title,
      ).toBe(true);
      expect(
        mine.some(([, , , , firing]) => firing.length === 0),
        title,
      ).toBe(true);
    }
  });

  test.each(cases)("%s: %s", async (title, when, series, minute, firing) => {
    const { expr } = alerts(thresholds).find((alert) => alert.title === title) ?? { expr: "" };
    const samples = firing.map((labels) => ({ labels: notationOf(labels), value: 1 }));
    // Only the rules that this data is for, and the query at that minute alone: each minute before it costs.
    const group = series.some((one) => one.series.startsWith("push_time")) ? runs : health;
    const queries = [{ minute, expr: `(${expr}) > bool 0`, samples }];
    expect(await promtool.test([group], [{ name: when, series, queries }])).toBe("");
  });
});

function notationOf(labels: Record<string, string>): string {
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(", ")}}`;
}
