import { TableCellDisplayMode, VisibilityMode } from "@grafana/grafana-foundation-sdk/common";
import type * as cog from "@grafana/grafana-foundation-sdk/cog";
import * as common from "@grafana/grafana-foundation-sdk/common";
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as BarChart } from "@grafana/grafana-foundation-sdk/barchart";
import { PanelBuilder as Stat } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as StateTimeline } from "@grafana/grafana-foundation-sdk/statetimeline";
import { PanelBuilder as Table } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as TimeSeries } from "@grafana/grafana-foundation-sdk/timeseries";
import { CODE_LEVEL_URL } from "../metrics.ts";
import { SOURCE } from "./data-sources.ts";

/** Arguments of all panels. */
export interface PanelArgs {
  /** ID in the dashboard. Links in alerts contain it, so it is never used for another panel. */
  id: number;
  title: string;
  /** Describes what is shown, where it comes from and how to read it. */
  description: string;
  /** Grafana's ID of the unit, e.g. "bytes"; "none" for a plain number. */
  unit: string;
  /** Width in columns, of 24. */
  width: number;
  /** Height in rows of 30 pixels. @default 8 */
  height?: number;
  queries: Query[];
}

/** One PromQL query. */
export interface Query {
  expr: string;
  /** Template for the name of each series, with labels as `{{label}}`. @default all labels */
  legend?: string;
  /**
   * Kind of result. "range": values over time. "instant": current values. "table": rows of labels and current values.
   * @default the kind that fits the panel
   */
  as?: "range" | "instant" | "table";
}

/** Colors of values: first the color of the lowest values, then pairs of a value and the color from that value on. */
export type Steps = [string, ...[number, string][]];

/** Arguments of a panel with lines over time. */
export interface TimeSeriesArgs extends PanelArgs {
  /** Minimum step of the queries, e.g. "10m". @default derived from the range and the panel's width */
  minStep?: string;
  /** Minimum of the y-axis. @default the smallest value */
  min?: number;
  /** Maximum gap in ms that a line connects. @default gaps are not connected */
  spannedGapMs?: number;
}

/** Returns a panel with lines over time, and points for values without neighbors. */
export function timeSeries(args: TimeSeriesArgs): TimeSeries {
  const panel = new TimeSeries()
    .lineWidth(1)
    .fillOpacity(0)
    .showPoints(VisibilityMode.Auto)
    .pointSize(4)
    .spanNulls(args.spannedGapMs ?? false)
    .legend(bottomLegend())
    .tooltip(
      new common.VizTooltipOptionsBuilder()
        .mode(common.TooltipDisplayMode.Multi)
        .sort(common.SortOrder.Descending),
    );
  if (args.minStep !== undefined) panel.interval(args.minStep);
  if (args.min !== undefined) panel.min(args.min);
  return finish(panel, args, "range");
}

function bottomLegend(): common.VizLegendOptionsBuilder {
  return new common.VizLegendOptionsBuilder()
    .displayMode(common.LegendDisplayMode.List)
    .placement(common.LegendPlacement.Bottom)
    .showLegend(true)
    .calcs([]);
}

/** Arguments of a panel with single numbers. */
export interface StatArgs extends PanelArgs {
  steps: Steps;
  /** Text if there is no value. @default "No data" */
  noValue?: string;
  /** Color of `noValue`. @default the first color of `steps` */
  noValueColor?: string;
  decimals?: number;
}

/** Returns a panel with one number, or one for each series, on a colored background. */
export function stat(args: StatArgs): Stat {
  const panel = new Stat()
    .graphMode(common.BigValueGraphMode.None)
    .colorMode(common.BigValueColorMode.Background)
    .textMode(common.BigValueTextMode.Auto)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(["lastNotNull"]).fields("").values(false))
    .thresholds(thresholds(args.steps));
  if (args.noValue !== undefined) panel.noValue(args.noValue);
  if (args.noValueColor !== undefined) {
    const result = { text: args.noValue, color: args.noValueColor };
    panel.mappings([
      {
        type: dashboard.MappingType.SpecialValue,
        options: { match: dashboard.SpecialValueMatch.NullAndNan, result },
      },
    ]);
  }
  if (args.decimals !== undefined) panel.decimals(args.decimals);
  return finish(panel, args, "instant");
}

/**
 * Returns a table of labels and values. `worst` is the title of a column: rows with the lowest values in this column
 * come first.
 */
export function table(
  args: PanelArgs & { transformations: dashboard.DataTransformerConfig[]; worst?: string },
): Table {
  const panel = new Table().transformations(args.transformations).filterable(true);
  if (args.worst !== undefined) {
    panel.sortBy([new common.TableSortByFieldStateBuilder().displayName(args.worst).desc(false)]);
  }
  return finish(panel, args, "table");
}

/** Returns a bar chart that is grouped by one label. */
export function barChart(
  args: PanelArgs & { transformations: dashboard.DataTransformerConfig[]; xField: string },
): BarChart {
  const panel = new BarChart()
    .transformations(args.transformations)
    .xField(args.xField)
    .showValue(VisibilityMode.Never)
    .fillOpacity(80)
    .legend(bottomLegend())
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi));
  return finish(panel, args, "table");
}

/** Returns a panel that shows each series as a band, which is colored by its value at each time (see `mappings`). */
export function stateTimeline(args: PanelArgs & { mappings: dashboard.ValueMapping[] }): StateTimeline {
  const panel = new StateTimeline()
    .mappings(args.mappings)
    .showValue(VisibilityMode.Never)
    .mergeValues(true)
    .fillOpacity(80);
  return finish(panel, args, "range");
}

/**
 * Returns overrides for a column whose cells have the color of their mapping or threshold as background.
 *
 * @param extra - further overrides of the column
 */
export function coloredColumn(extra: dashboard.DynamicConfigValue[]): dashboard.DynamicConfigValue[] {
  return [
    {
      id: "custom.cellOptions",
      value: {
        type: TableCellDisplayMode.ColorBackground,
        mode: common.TableCellBackgroundDisplayMode.Basic,
      },
    },
    ...extra,
  ];
}

/** Returns the thresholds for the given colors. */
export function thresholds([base, ...more]: Steps): dashboard.ThresholdsConfigBuilder {
  return new dashboard.ThresholdsConfigBuilder()
    .mode(dashboard.ThresholdsMode.Absolute)
    .steps([{ value: null, color: base }, ...more.map(([value, color]) => ({ value, color }))]);
}

interface Finishable extends cog.Builder<dashboard.Panel> {
  id(id: number): this;
  title(title: string): this;
  description(description: string): this;
  unit(unit: string): this;
  span(width: number): this;
  height(height: number): this;
  datasource(source: common.DataSourceRef): this;
  targets(targets: cog.Builder<cog.Dataquery>[]): this;
}

function finish<Panel extends Finishable>(panel: Panel, args: PanelArgs, as: Query["as"]): Panel {
  return panel
    .id(args.id)
    .title(args.title)
    .description(args.description)
    .unit(args.unit)
    .span(args.width)
    .height(args.height ?? 8)
    .datasource(SOURCE)
    .targets(args.queries.map((query, at) => target(query, query.as ?? as, String.fromCharCode(65 + at))));
}

function target(query: Query, as: Query["as"], refId: string): DataqueryBuilder {
  const target = new DataqueryBuilder().refId(refId).datasource(SOURCE).expr(withShortLevel(query.expr));
  if (query.legend !== undefined) target.legendFormat(query.legend);
  switch (as) {
    case "instant":
      return target.instant().format(PromQueryFormat.TimeSeries);
    case "table":
      return target.instant().format(PromQueryFormat.Table);
    default:
      return target.range().format(PromQueryFormat.TimeSeries);
  }
}

/**
 * Returns the query with short code levels in its result: `https://github.com/projectcalico/felix.git-master` becomes
 * `projectcalico/felix master`.
 */
function withShortLevel(expr: string): string {
  if (!expr.includes("code_level")) return expr;
  const { pattern, short } = CODE_LEVEL_URL;
  return `label_replace(${expr}, "code_level", ${JSON.stringify(short)}, "code_level", ${JSON.stringify(pattern)})`;
}
