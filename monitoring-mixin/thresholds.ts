/** From where on something is worth a message, and is shown in red. */
export interface AlertThresholds {
  /** Hours without a run after which it is missing. */
  runMissingHours: number;
  /** Growth of mean occupancy against the median of the 7 runs before, in percent. */
  occupancyGrowthPercent: number;
  /** Days until the disk is full. */
  diskFullDays: number;
}

/** What they are unless the configuration says otherwise. */
export const DEFAULT_THRESHOLDS: AlertThresholds = {
  // A day, and two hours for a run that takes longer than the one before.
  runMissingHours: 26,
  occupancyGrowthPercent: 10,
  diskFullDays: 14,
};
