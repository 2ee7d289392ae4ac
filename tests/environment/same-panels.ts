import type { GrafanaClient } from "../../lib/grafana.ts";
import type { Frame, Range } from "../../lib/panels.ts";
import { initialVariables, panelsOf, queryPanel } from "../../lib/panels.ts";
import type { Dashboard } from "../../monitoring-mixin/dashboards/index.ts";

/**
 * Describes the first panel whose values from the long-term store (data source `my-prom`) differ from those of
 * Prometheus itself (`my-prom-local`). Returns "" if there is none.
 */
export async function difference(
  grafana: GrafanaClient,
  dashboard: Dashboard,
  range: Range,
): Promise<string> {
  const variables = await initialVariables(grafana, dashboard, range);
  for (const panel of panelsOf(dashboard)) {
    const from = async (uid: string): Promise<Frame[]> => {
      const targets = panel.targets.map((target) => ({
        ...target,
        expr: comparable(target.expr),
        datasource: { uid },
      }));
      return sorted(await queryPanel(grafana, { ...panel, targets }, variables, range));
    };
    const found = firstDifference(await from("my-prom"), await from("my-prom-local"));
    if (found !== undefined) return `${dashboard.title}, ${panel.title}: ${found}`;
  }
  return "";
}

/**
 * Returns the expression with sums of samples instead of rates: the PromQL engines of Prometheus 3.16 and
 * Thanos extrapolate a rate differently in the first minutes of a series.
 */
function comparable(expr: string): string {
  return expr.replaceAll(/\b(rate|increase)\(/g, "sum_over_time(");
}

/** Sorts frames, because PromQL doesn't define their order. */
function sorted(frames: Frame[]): Frame[] {
  return frames.toSorted((a, b) => (seriesOf(a) < seriesOf(b) ? -1 : 1));
}

/**
 * Describes the first difference in series, times or values, except for rounding errors; undefined if there
 * is none.
 */
function firstDifference(store: Frame[], local: Frame[]): string | undefined {
  const series = (frames: Frame[]) => frames.map(seriesOf).join("\n");
  if (series(store) !== series(local)) return `series\n${series(store)}\nin Prometheus\n${series(local)}`;
  for (const [n, { columns }] of store.entries()) {
    for (const [m, { name, values }] of columns.entries()) {
      const others = local[n]?.columns[m]?.values ?? [];
      const at = values.findIndex((value, row) => !isSame(value, others[row]));
      if (at >= 0 || values.length !== others.length) {
        const [one, other] = [values, others].map(
          (all) => `${all.length} values, ${String(all[at])} at ${at}`,
        );
        return `${seriesOf(store[n] as Frame)} ${name}: ${one}; in Prometheus ${other}`;
      }
    }
  }
  return undefined;
}

/**
 * Compares two values. Rounding errors are no difference, because Prometheus and Thanos add up values in
 * different orders.
 */
function isSame(one: unknown, other: unknown): boolean {
  if (typeof one !== "number" || typeof other !== "number") return one === other;
  return Math.abs(one - other) <= 1e-9 * Math.max(Math.abs(one), Math.abs(other));
}

function seriesOf({ refId, columns }: Frame): string {
  return JSON.stringify([refId, columns.map(({ name, labels }) => [name, labels])]);
}
