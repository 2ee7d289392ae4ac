import { CODE_LEVEL_URL } from "../metrics.ts";

/** An alert rule. It fires for each series that its expression returns. */
export interface Alert {
  /** The alert's name; docs/operations.md has a section with the same name. */
  name: string;
  /** PromQL expression. */
  expr: string;
  /** Time for which the expression must return a series before the alert fires. */
  for: string;
  /** "critical": metrics or messages are being lost. "warning": somebody should look at it. "none": the heartbeat. */
  severity: "critical" | "warning" | "none";
  /**
   * Decides the route in Alertmanager. "nightly": results of runs, one message per night. "monitoring": the monitoring
   * system itself, sent immediately. "heartbeat": not shown to people.
   */
  kind: "nightly" | "monitoring" | "heartbeat";
  /** One line for the message, a Prometheus template. */
  summary: string;
  /** Meaning of the alert. */
  description: string;
  /** Panel to which the message links. */
  panel: { dashboard: string; id: number };
}

/**
 * Prometheus template that prints the label `code_level`. In practice it is a URL such as
 * `https://github.com/projectcalico/felix.git-master`, which is printed as `projectcalico/felix master`.
 */
export const LEVEL = `{{ reReplaceAll ${JSON.stringify(`^${CODE_LEVEL_URL.pattern}$`)} "${CODE_LEVEL_URL.short}" $labels.code_level }}`;
