import { WORKLOADS } from "../../workloads.ts";
import { DAY, held, HOUR, nightly, rawSeries } from "./nights.ts";
import type { Series } from "./promtool.ts";

/** A Prometheus that was there and scraped, so that something can be missing. */
const up = (from: number, to: number, job = "prom-gateway") => held(`up{job="${job}"}`, from, to, 1);
/** All of the environment's own targets but one. */
const allUp = (to: number, but: string) =>
  Object.values(WORKLOADS)
    .filter(({ name }) => name !== but)
    .map(({ name }) => up(0, to, name));
const retentions = (values: string) => ({
  series: 'prometheus_tsdb_size_retentions_total{job="prometheus"}',
  values,
});
const level = (name: string) => ({ code_level: name });
const testOf = (name: string, of = "A") => ({ job: "k8sfv", test_name: name, code_level: of });
const meanOf = { job: "k8sfv", test_name: "leak", code_level: "A", process: "felix" };
const gateway = (from: number, to: number) => held('pushgateway_build_info{job="prom-gateway"}', from, to, 1);
const refusals = (from: number, to: number, value: number) =>
  held('push_guard_pushes_total{code="400"}', from, to, value);
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
export const cases: [
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
    "Test fails",
    "in the afternoon still",
    rawSeries(
      nightly(1, () => ({ results: { leak: 0 } })),
      2 * DAY,
    ),
    60 + 16 * HOUR,
    [testOf("leak")],
  ],
  [
    "Test fails",
    "in the evening no more: the next night's is to be a message of its own",
    rawSeries(
      nightly(1, () => ({ results: { leak: 0 } })),
      2 * DAY,
    ),
    60 + 18 * HOUR,
    [],
  ],
  [
    "Test fails",
    "a developer's",
    rawSeries(
      nightly(1, () => ({ level: "dev", results: { leak: 0 } })),
      DAY,
    ),
    66,
    [],
  ],
  [
    "Test is missing",
    "from a developer's second run",
    rawSeries(
      nightly(2, (n) => ({ level: "dev", results: { leak: 1, ...(n === 0 && { gone: 1 }) } })),
      3 * DAY,
    ),
    DAY + 66,
    [],
  ],
  [
    "Occupancy grew",
    "in a developer's run",
    rawSeries(
      nightly(8, (n) => ({ level: "dev", mean: n === 7 ? 120 : 100 })),
      9 * DAY,
    ),
    7 * DAY + 66,
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
    [...allUp(100, "grafana"), held('up{job="grafana"}', 0, 100, 0)],
    6,
    [{ job: "grafana" }],
  ],
  [
    "Scrape target is down",
    "for two",
    [...allUp(100, "grafana"), { series: 'up{job="grafana"}', values: "1x97 0x2" }],
    100,
    [],
  ],
  [
    "Scrape target is down",
    "gone for six minutes, with its pod",
    [...allUp(100, "prom-gateway"), up(0, 93)],
    100,
    [{ job: "prom-gateway" }],
  ],
  [
    "Scrape target is down",
    "gone for three, as when a pod moves",
    [...allUp(100, "prom-gateway"), up(0, 97)],
    100,
    [],
  ],
  ["Scrape target is down", "Prometheus has only just begun", [up(98, 100, "prometheus")], 100, []],
  ["Disk fills", "within ten days", diskUsed(0, 8 * DAY, 5e8 / (18 * DAY)), 8 * DAY, [{}]],
  [
    "Disk fills",
    "full, and what is old is dropped",
    [...diskUsed(0, 8 * DAY, 0), retentions("0x11510 1x10")],
    8 * DAY,
    [{ job: "prometheus" }],
  ],
  [
    "Disk fills",
    "what is old was dropped two days ago",
    [...diskUsed(0, 8 * DAY, 0), retentions("0x8000 1x3520")],
    8 * DAY,
    [],
  ],
  ["Disk fills", "in a year", diskUsed(0, 8 * DAY, 5e8 / (365 * DAY)), 8 * DAY, []],
  ["Disk fills", "fast, but for a day alone", diskUsed(7 * DAY, 8 * DAY, 5e8 / (3 * DAY)), 8 * DAY, []],
];
