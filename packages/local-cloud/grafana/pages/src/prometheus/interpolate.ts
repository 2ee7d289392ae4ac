/**
 * This module replaces variables in PromQL as Grafana's Prometheus data source does when the query names no format
 * (`$name`, `${name}`). Grafana 9 to 13 behave like this without the feature toggle
 * prometheusSpecialCharsInLabelValues, which is off by default. The result is not always valid PromQL: a single quote
 * becomes `\\'`, and double quotes and newlines stay unchanged (grafana/grafana#96063).
 */

/** The variable's properties that the formatter uses. */
export interface InterpolatedVariable {
  /** Whether several values can be selected. */
  multi?: boolean;
  /** Whether the variable has the option "All". */
  includeAll?: boolean;
}

/** Formats the value of a single-value variable: backslashes are doubled, `'` becomes `\\'`. */
export function escapeString(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("'", "\\\\'");
}

/** Formats one of several values for a regular expression inside a PromQL string: `.` becomes `\\.`. */
export function escapeRegex(value: string): string {
  return value.replaceAll("\\", "\\\\\\\\").replaceAll(/[$^*{}[\]+?.()|]/g, "\\\\$&");
}

/**
 * Formats a variable's value as the data source does by default. Several values become `(a|b)`.
 *
 * @param value the selected value or values; not a custom "all" value, which scenes insert without formatting
 */
export function interpolateQueryExpr(value: string | string[], variable: InterpolatedVariable): string {
  if (variable.multi !== true && variable.includeAll !== true) {
    // A single-value variable can get several values only from the page's URL. JavaScript joins them with commas.
    return typeof value === "string" ? escapeString(value) : String(value);
  }
  if (typeof value === "string") return escapeRegex(value);
  const escaped = value.map(escapeRegex);
  return escaped.length === 1 ? (escaped[0] ?? "") : `(${escaped.join("|")})`;
}
