import { z } from "zod";
import { DEFAULT_THRESHOLDS } from "../monitoring-mixin/thresholds.ts";
import { isMailAddress, isMailServer, MAIL, MAIL_SERVER } from "./mail-checks.ts";
import { boolean, enumOf, integer, isPattern, isWebUrl, object, string, url, userName } from "./types.ts";

/** PagerDuty's Events API v2 in the US service region. */
const PAGER_DUTY = "https://events.pagerduty.com/v2/enqueue";

/** Page of this repository with a section for each alert. */
const RUNBOOK = "docs/operations.md";

const expectedRuns = object({
  codeLevels: string("a regular expression of RE2, like release-.*", isPattern).meta({
    description: "Regular expression (RE2) that must match the whole code level.",
    examples: ["release-.*"],
  }),
  days: z
    .array(enumOf("mon", "tue", "wed", "thu", "fri", "sat", "sun"), {
      error: "a list of weekdays, like [mon, wed, fri]",
    })
    .meta({
      description: "Weekdays in UTC on which a run is due. With an empty list no run is expected.",
      examples: [["mon", "tue", "wed", "thu", "fri"]],
    }),
  by: string("a time of day in UTC, like 06:00", /^([01][0-9]|2[0-3]):[0-5][0-9]$/)
    .default("12:00")
    .describe("Time of day in UTC by which the run is due."),
});

const smtp = object({
  host: string(MAIL_SERVER, isMailServer).meta({
    description: "Mail server with its port.",
    examples: ["smtp.example.org:587"],
  }),
  from: string(MAIL, isMailAddress).meta({
    description: "Address of the sender.",
    examples: ["k8sfv@example.org"],
  }),
  user: userName(/./)
    .optional()
    .meta({
      description: "User name at the mail server. The password is `smtpPassword`.",
      examples: ["k8sfv"],
    }),
  requireTls: boolean(true).describe("Requires TLS: implicit on port 465, STARTTLS on other ports."),
});

/** The key `alerts`. */
export const alerts = object({
  runMissingHours: integer(1, 168)
    .default(DEFAULT_THRESHOLDS.runMissingHours)
    .describe(
      "Hours without a run of a code level after which an alert fires, if no schedule in `alerts.expectedRuns` matches.",
    ),
  expectedRuns: z
    .array(expectedRuns, { error: "a list of objects with the keys codeLevels, days and by" })
    .default(DEFAULT_THRESHOLDS.expectedRuns)
    .meta({
      description:
        "Schedules of code levels that don't run every day. The first schedule that matches applies. For other code " +
        "levels, `alerts.runMissingHours` applies.",
      examples: [[{ codeLevels: "release-.*", days: ["mon", "thu"], by: "06:00" }]],
    }),
  occupancyGrowthPercent: integer(1, 1000, " (percent)")
    .default(DEFAULT_THRESHOLDS.occupancyGrowthPercent)
    .describe(
      "An alert fires if the mean occupancy is more than this percentage above the median of the runs in the previous 7 days.",
    ),
  diskFullDays: integer(1, 365)
    .default(DEFAULT_THRESHOLDS.diskFullDays)
    .describe(
      "An alert fires if Prometheus's data is predicted to reach its size limit, 80 % of the disk, within this number of days.",
    ),
  collectMinutes: integer(1, 720)
    .default(DEFAULT_THRESHOLDS.collectMinutes)
    .describe(
      "Minutes for which alerts about nightly runs are collected into one message, because CI tests the code levels " +
        "one after the other. Alertmanager keeps the group of these alerts for up to this time after they have ended, " +
        "and collects further alerts only for a new group. With a value above 180, the old group can still exist at the " +
        "next nightly run, whose alerts then arrive in several messages.",
    ),
  runbookUrl: string(
    "a URL without a fragment, like https://example.org/docs/operations.md",
    (value) => value === RUNBOOK || (isWebUrl(value) && !value.includes("#")),
  )
    .default(RUNBOOK)
    .meta({
      description:
        "URL of docs/operations.md, which alerts link to. The default is the page's path in this repository.",
      examples: ["https://example.org/k8sfv-metrics/docs/operations.md"],
    }),
  heartbeatUrl: url(["http:", "https:"], "https://hc-ping.com/UUID")
    .optional()
    .meta({
      description:
        "URL that receives a POST every 2 minutes while Prometheus and Alertmanager work: a dead man's switch outside of " +
        "this environment.",
      examples: ["https://hc-ping.com/UUID"],
    }),
  pagerDutyUrl: url(["http:", "https:"], PAGER_DUTY)
    .default(PAGER_DUTY)
    .meta({
      description: "URL of PagerDuty's Events API v2. PagerDuty's EU service region has another URL.",
      examples: ["https://events.eu.pagerduty.com/v2/enqueue"],
    }),
  email: z
    .array(string(MAIL, isMailAddress), { error: "a list of e-mail addresses, like [ci@example.org]" })
    .default([])
    .meta({
      description: "Addresses that receive alerts. Requires `alerts.smtp`.",
      examples: [["ci@example.org"]],
    }),
  smtp: smtp.optional().describe("Mail server that sends alerts to `alerts.email`."),
})
  .prefault({})
  .describe("Thresholds and receivers of alerts.");
