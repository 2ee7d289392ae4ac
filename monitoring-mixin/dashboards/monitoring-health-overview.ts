import { ownJob } from "../metrics.ts";
import { HEALTH } from "./panel-ids.ts";
import { stat, timeSeries } from "./panels.ts";

const PROMETHEUS = ownJob("prometheus");

/** Days until Prometheus's data reaches its size limit. No value in the first day, when the data grows fast. */
const DAYS_LEFT =
  `(max(prometheus_tsdb_retention_limit_bytes{${PROMETHEUS}}) - prometheus:disk_used_bytes) ` +
  "/ (deriv(prometheus:disk_used_bytes[7d]) > 0) / 86400 and prometheus:disk_used_bytes offset 1d";

/** Returns the first row, with single numbers about pushes, disk and restarts, and the panel of pushes over time. */
export function healthOverview() {
  return [
    stat({
      id: 1,
      title: "Last push",
      description: "Time of the last successful push of a run.",
      unit: "dateTimeFromNow",
      width: 5,
      height: 4,
      steps: ["blue"],
      noValue: "never",
      queries: [{ expr: '1000 * max(push_time_seconds{job="k8sfv"})', legend: "last push" }],
    }),
    stat({
      id: 2,
      title: "Last failed push",
      description:
        "Time of the last push that the Pushgateway rejected because its metrics are inconsistent.",
      unit: "dateTimeFromNow",
      width: 5,
      height: 4,
      steps: ["orange"],
      noValue: "never",
      noValueColor: "green",
      queries: [
        { expr: '1000 * max(push_failure_time_seconds{job="k8sfv"} > 0)', legend: "last failed push" },
      ],
    }),
    stat({
      id: HEALTH.refused,
      title: "Rejected pushes",
      description:
        "Pushes that were rejected in the time range: malformed, too large, without the password, or storage full.",
      unit: "none",
      width: 5,
      height: 4,
      steps: ["green", [1, "red"]],
      noValue: "0",
      queries: [
        { expr: "sum(sum_over_time(gateway:pushes_refused:increase1m[$__range]))", legend: "rejected" },
      ],
    }),
    stat({
      id: 4,
      title: "Days until the disk is full",
      description:
        "Time until Prometheus starts to delete the oldest data (retentionSize), at the growth rate of the last 7 days.",
      unit: "d",
      width: 5,
      height: 4,
      decimals: 0,
      steps: ["red", [14, "orange"], [60, "green"]],
      noValue: "not growing, or new",
      noValueColor: "green",
      queries: [
        {
          expr: DAYS_LEFT,
          legend: "days",
        },
      ],
    }),
    stat({
      id: 14,
      title: "Restarts",
      description: "Restarts of the environment's own processes in the time range.",
      unit: "none",
      width: 4,
      height: 4,
      steps: ["green", [1, "orange"], [5, "red"]],
      noValue: "0",
      queries: [{ expr: "sum(sum_over_time(job:restarts:increase1m[$__range]))", legend: "restarts" }],
    }),
    timeSeries({
      id: HEALTH.pushes,
      title: "Pushes",
      description: "Pushes that were accepted and that were rejected.",
      unit: "none",
      width: 12,
      min: 0,
      minStep: "1m",
      queries: [
        { expr: "sum(sum_over_time(gateway:pushes_taken:increase1m[$__interval]))", legend: "accepted" },
        { expr: "sum(sum_over_time(gateway:pushes_refused:increase1m[$__interval]))", legend: "rejected" },
      ],
    }),
  ];
}
