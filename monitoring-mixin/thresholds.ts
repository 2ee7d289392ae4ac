/** Runs that a code level is expected to push. */
export interface ExpectedRuns {
  /** Regular expression (RE2) that a whole `code_level` has to match. */
  codeLevels: string;
  /** Weekdays in UTC on which a run is due. With none, no run is expected. */
  days: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
  /** Time of these days in UTC by which the run is due, such as "06:00". */
  by: string;
}

/** Limits from which on an alert fires and a panel is red. */
export interface AlertThresholds {
  /** Hours after which a run is missing, for code levels that `expectedRuns` doesn't name. */
  runMissingHours: number;
  /** Schedules of code levels that don't run every day. The first whose pattern matches holds. */
  expectedRuns: ExpectedRuns[];
  /** Growth of mean occupancy against the median of the runs in the 7 days before, in percent. */
  occupancyGrowthPercent: number;
  /** Days until the disk is full. */
  diskFullDays: number;
  /** Minutes for which the alerts of a nightly run are collected into one message. */
  collectMinutes: number;
}

/** Default limits. */
export const DEFAULT_THRESHOLDS: AlertThresholds = {
  // A day, and two hours for a run that takes longer than the one before.
  runMissingHours: 26,
  expectedRuns: [],
  occupancyGrowthPercent: 10,
  diskFullDays: 14,
  collectMinutes: 180,
};
