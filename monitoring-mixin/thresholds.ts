/** Runs that a code level is expected to push. */
export interface ExpectedRuns {
  /** Regular expression (RE2), anchored at both ends, of code levels. */
  codeLevels: string;
  /** Weekdays in UTC on which a run is due. An empty list means that no run is expected. */
  days: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
  /** Time in UTC by which a run is due on each of `days`, such as "06:00". */
  by: string;
}

/** Limits at which alerts fire and panels turn red. */
export interface AlertThresholds {
  /**
   * Hours without a run of a code level after which the next run counts as missing, for code levels that match no
   * schedule of `expectedRuns`.
   */
  runMissingHours: number;
  /** Schedules of code levels that don't run every day. The first schedule that matches applies. */
  expectedRuns: ExpectedRuns[];
  /** Increase of the mean occupancy in percent, compared with the median of the runs in the previous 7 days. */
  occupancyGrowthPercent: number;
  /**
   * The alert fires if Prometheus's data would reach its size limit within this number of days at its recent growth
   * rate.
   */
  diskFullDays: number;
  /** Minutes for which the alerts of a nightly run are collected into one message. */
  collectMinutes: number;
}

/** Default limits. */
export const DEFAULT_THRESHOLDS: AlertThresholds = {
  // A day, plus two hours for a run that takes longer than the previous one.
  runMissingHours: 26,
  expectedRuns: [],
  occupancyGrowthPercent: 10,
  diskFullDays: 14,
  collectMinutes: 180,
};
