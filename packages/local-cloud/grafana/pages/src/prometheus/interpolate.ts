/**
 * How Grafana's Prometheus data source puts the values of a dashboard's variables into PromQL when the query
 * names no format (`$name`, `${name}`). Behaviour of Grafana 9 to 13 with the feature toggle
 * prometheusSpecialCharsInLabelValues off, which is the default. It is not what PromQL would need: a single quote
 * becomes `\\'`, and double quotes and newlines stay as they are (grafana/grafana#96063).
 */

/** What the formatter must know of a variable. */
export interface InterpolatedVariable {
  /** Whether several values can be chosen. */
  multi?: boolean;
  /** Whether all values can be chosen. */
  includeAll?: boolean;
}

/** Formats the value of a variable of one value: backslashes are doubled, `'` becomes `\\'`. */
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
 * @param value the chosen value or values; a custom "all" value has been put in before and isn't formatted
 */
export function interpolateQueryExpr(value: string | string[], variable: InterpolatedVariable): string {
  if (variable.multi !== true && variable.includeAll !== true) {
    // Several values can reach such a variable by the address alone; JavaScript joins them by commas.
    return typeof value === "string" ? escapeString(value) : String(value);
  }
  if (typeof value === "string") return escapeRegex(value);
  const escaped = value.map(escapeRegex);
  return escaped.length === 1 ? (escaped[0] ?? "") : `(${escaped.join("|")})`;
}
