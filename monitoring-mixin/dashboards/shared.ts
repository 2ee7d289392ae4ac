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

/** Name of the data source for Prometheus, the same as in the previous, hand-built environment; also its UID. */
export const DATA_SOURCE = "my-prom";

/** Name and UID of the data source for Alertmanager. */
export const ALERTMANAGER_SOURCE = "my-alertmanager";

/** Title and UID of the dashboards' folder. */
export const FOLDER = "k8sfv";

/** Tag of the dashboards, by which they link to one another. */
const TAG = "k8sfv";

const SOURCE: common.DataSourceRef = { type: "prometheus", uid: DATA_SOURCE };

/** A dashboard in Grafana's JSON model. */
export type Dashboard = dashboard.Dashboard & { uid: string; title: string };

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
  /** "range": values over time. "instant": current values. "table": rows of labels and current values. */
  as?: "range" | "instant" | "table";
}

/** Colors of values: the first from minus infinity on, each other from its value on. */
export type Steps = [string, ...[number, string][]];

/** Value of a missing result, which sorts before 0 and 1. */
export const MISSING = -1;

/** Mappings of test results: 1 is a pass. */
export const RESULT: dashboard.ValueMapping[] = [
  {
    type: dashboard.MappingType.ValueToText,
    options: {
      [MISSING]: { text: "missing", color: "orange" },
      0: { text: "fail", color: "red" },
      1: { text: "pass", color: "green" },
    },
  },
];

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
 * Returns a table of labels and values. With `worst`, the title of a column, rows with its lowest values come first.
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

/** Returns overrides for a column whose cells have the color of their mapping or threshold as background. */
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
 * Shortens code levels that are URLs: `https://github.com/projectcalico/felix.git-master` becomes
 * `projectcalico/felix master`.
 */
function withShortLevel(expr: string): string {
  if (!expr.includes("code_level")) return expr;
  const { pattern, short } = CODE_LEVEL_URL;
  return `label_replace(${expr}, "code_level", ${JSON.stringify(short)}, "code_level", ${JSON.stringify(pattern)})`;
}

/**
 * Returns a label matcher for the selected values of a variable. Grafana's default format doesn't escape `"` and
 * newlines and turns `'` into `\\'`, which breaks queries (grafana/grafana#96063). PromQL doesn't interpret escapes
 * between backticks, so all values work except those with a backtick.
 *
 * @param label - name of the label. Default: the variable's name
 */
export function chosen(variable: string, label = variable): string {
  return `${label}=~\`\${${variable}:regex}\``;
}

/**
 * Like {@link chosen}, for test names, which may contain backticks. None of Grafana's formats escapes a backtick
 * without breaking names with backslashes or newlines. So the variable's value is the name up to its first backtick,
 * ignoring leading backticks, and the matcher allows any rest. Tests that differ only after a backtick are selected
 * together.
 */
export function chosenTests(variable: string): string {
  return `test_name=~\`\\x60*\${${variable}:regex}(\\x60.*)?\``;
}

/** Regex that extracts the variable's value from a test name (`value`), and the name in the drop-down list (`text`). */
const TEST_NAME = "/^(?<text>`*(?<value>[^`]+)[^]*)$/";
/** Regex for code levels: the drop-down list shows a URL without its host. */
const CODE_LEVEL = "/^(?<value>(?:https?:\\/\\/[^\\/]+\\/)?(?<text>.+))$/";

/** Arguments of a variable. */
export interface VariableArgs {
  name: string;
  label: string;
  description: string;
  /** PromQL selector of the series whose label values can be selected. */
  series: string;
  /** Name of the label. @default `name` */
  of?: string;
  /** Whether only one value can be selected. @default false */
  single?: boolean;
}

/** Returns a variable with all values that a label has in the dashboard's time range. */
export function variable(args: VariableArgs): dashboard.QueryVariableBuilder {
  const label = args.of ?? args.name;
  const query = `label_values(${args.series}, ${label})`;
  const builder = new dashboard.QueryVariableBuilder(args.name)
    .label(args.label)
    .description(args.description)
    .datasource(SOURCE)
    .query({ query, refId: args.name, qryType: 1 })
    .definition(query)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.NaturalAsc);
  if (label === "code_level") builder.regex(CODE_LEVEL);
  if (label === "test_name") builder.regex(TEST_NAME);
  if (args.single === true) return builder;
  return (
    builder
      .multi(true)
      .includeAll(true)
      // By default, Grafana replaces "All" by a list of all values, which would make queries very long.
      .allValue(".+")
      .current({ selected: true, text: ["All"], value: ["$__all"] })
  );
}

/** Returns annotations of the times in which alerts fire, combined by code level. */
function firing({ kind, panels }: NonNullable<DashboardArgs["alerts"]>): dashboard.AnnotationQueryBuilder {
  const builder = new dashboard.AnnotationQueryBuilder()
    .name("Alerts")
    .datasource(SOURCE)
    .enable(true)
    .iconColor("red")
    // The window is the whole step, so that a short alert is visible in a range of months too.
    .expr(
      `max by (alertname, code_level) (max_over_time(ALERTS{alertstate="firing", kind="${kind}"}[$__interval]))`,
    )
    .step("1m")
    .titleFormat("{{alertname}}")
    .tagKeys("code_level");
  if (panels === undefined) return builder;
  return builder.filter(new dashboard.AnnotationPanelFilterBuilder().exclude(false).ids(panels));
}

/** Arguments of makeDashboard. */
export interface DashboardArgs {
  title: string;
  /** UID, which is part of the URL. */
  uid: string;
  description: string;
  /** Default time range, e.g. "30d". */
  range: string;
  /** Refresh interval, e.g. "5m". */
  refresh: string;
  variables: dashboard.QueryVariableBuilder[];
  /** Alerts with this label `kind` are shown as annotations. @default none */
  alerts?: {
    kind: "nightly" | "monitoring";
    /** IDs of the panels with annotations. @default all */ panels?: number[];
  };
  /** Panels from left to right, row by row. */
  panels: cog.Builder<dashboard.Panel>[];
}

/** Returns a dashboard that can't be edited in Grafana, so that it always equals the code. */
export function makeDashboard(args: DashboardArgs): Dashboard {
  const builder = new dashboard.DashboardBuilder(args.title)
    .uid(args.uid)
    .description(args.description)
    .tags([TAG])
    .readonly()
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .time({ from: `now-${args.range}`, to: "now" })
    .timezone("browser")
    .refresh(args.refresh)
    .variables(args.variables)
    .link(
      new dashboard.DashboardLinkBuilder("k8sfv dashboards")
        .type(dashboard.DashboardLinkType.Dashboards)
        .tags([TAG])
        .icon("dashboard")
        .tooltip("The other dashboards, with the same time range")
        .keepTime(true),
    );
  if (args.alerts !== undefined) builder.annotation(firing(args.alerts));
  for (const panel of args.panels) builder.withPanel(panel);
  return builder.build() as Dashboard;
}
