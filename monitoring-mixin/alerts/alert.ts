import { CODE_LEVEL_URL } from "../metrics.ts";

/** An alert rule of Prometheus. It fires for each series that its expression returns. */
export interface Alert {
  /** The alert's name; docs/operations.md has a section with the same name. */
  name: string;
  /** PromQL expression. */
  expr: string;
  /** How long the expression must return a series before the alert fires. */
  for: string;
  /** "critical": metrics or messages are being lost. "warning": somebody should look. "none": the heartbeat. */
  severity: "critical" | "warning" | "none";
  /**
   * How Alertmanager routes it. "nightly": results of runs, one message per night. "monitoring": the monitoring
   * itself, sent at once. "heartbeat": never shown to people.
   */
  kind: "nightly" | "monitoring" | "heartbeat";
  /** One line for the message, a template of Prometheus. */
  summary: string;
  /** What the alert means. */
  description: string;
  /** The panel that shows it. */
  panel: { dashboard: string; id: number };
}

/**
 * Prometheus template that prints the label `code_level`. In practice it is a URL such as
 * `https://github.com/projectcalico/felix.git-master`, which is printed as `projectcalico/felix master`.
 */
export const LEVEL = `{{ reReplaceAll ${JSON.stringify(`^${CODE_LEVEL_URL.pattern}$`)} "${CODE_LEVEL_URL.short}" $labels.code_level }}`;
