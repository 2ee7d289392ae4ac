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

/** The data source's name, as the hand-built environment had it; also its uid, for dashboards and alerts. */
export const DATA_SOURCE = "my-prom";

/** Name and uid of the data source that shows Alertmanager's alerts and silences. */
export const ALERTMANAGER_SOURCE = "my-alertmanager";

/** The folder that dashboards are in: its title and its uid. */
export const FOLDER = "k8sfv";

/** The tag by which the dashboards link to one another. */
const TAG = "k8sfv";

const SOURCE: common.DataSourceRef = { type: "prometheus", uid: DATA_SOURCE };

/** A dashboard as Grafana stores it. */
export type Dashboard = dashboard.Dashboard & { uid: string; title: string };

/** What every panel has to have. */
export interface PanelArgs {
  /** Known to alerts, whose messages link to it; never given to another panel of the dashboard. */
  id: number;
  title: string;
  /** What is shown, from where, and how to read it. */
  description: string;
  /** Grafana's name of the unit, e.g. "bytes"; "none" for a plain number. */
  unit: string;
  /** Of the 24 columns. */
  width: number;
  /** In rows of 30 pixels. @default 8 */
  height?: number;
  queries: Query[];
}

/** One PromQL query. */
export interface Query {
  expr: string;
  /** Name of each series, with labels as `{{label}}`. @default all labels */
  legend?: string;
  /** "range" for a line over time, "instant" for the value now, "table" for rows of labels and value now. */
  as?: "range" | "instant" | "table";
}

/** Colours from a value on, the first from minus infinity. */
export type Steps = [string, ...[number, string][]];

/** Value of a result that is missing: it sorts before 0 and 1. */
export const MISSING = -1;

/** Result of a test: 1 is a pass. */
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
  /** Minimum step of the queries, e.g. "10m". @default what the range and the width ask for */
  minStep?: string;
  /** Lower end of the axis. @default the smallest value */
  min?: number;
  /** Longest gap in the data that a line spans, in milliseconds. @default gaps stay open */
  spannedGapMs?: number;
}

/** Lines over time, with a point where a value has no neighbours. */
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

/** Arguments of a panel with numbers. */
export interface StatArgs extends PanelArgs {
  steps: Steps;
  /** Text where there is no value. @default "No data" */
  noValue?: string;
  /** Its colour. @default the first of `steps` */
  noValueColor?: string;
  decimals?: number;
}

/** One number, or one for each series, on a coloured ground. */
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

/** Rows of labels and values, those with the smallest value of the column `worst` first. */
export function table(
  args: PanelArgs & { transformations: dashboard.DataTransformerConfig[]; worst?: string },
): Table {
  const panel = new Table().transformations(args.transformations).filterable(true);
  if (args.worst !== undefined) {
    panel.sortBy([new common.TableSortByFieldStateBuilder().displayName(args.worst).desc(false)]);
  }
  return finish(panel, args, "table");
}

/** Bars side by side, by one label. */
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

/** A band a series whose colour tells its state. */
export function stateTimeline(args: PanelArgs & { mappings: dashboard.ValueMapping[] }): StateTimeline {
  const panel = new StateTimeline()
    .mappings(args.mappings)
    .showValue(VisibilityMode.Never)
    .mergeValues(true)
    .fillOpacity(80);
  return finish(panel, args, "range");
}

/** A cell whose ground has the colour of its mapping or threshold. */
export function colouredColumn(extra: dashboard.DynamicConfigValue[]): dashboard.DynamicConfigValue[] {
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

/** Colours from a value on. */
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
 * The expression with code levels that are URLs in short: `https://github.com/projectcalico/felix.git-master` is shown as
 * `projectcalico/felix master`.
 */
function withShortLevel(expr: string): string {
  if (!expr.includes("code_level")) return expr;
  const { pattern, short } = CODE_LEVEL_URL;
  return `label_replace(${expr}, "code_level", ${JSON.stringify(short)}, "code_level", ${JSON.stringify(pattern)})`;
}

/**
 * Label matcher for the values that are chosen of a variable. Grafana's default format leaves `"` and newlines as they are
 * and turns `'` into `\\'`, which breaks a query (grafana/grafana#96063). Between backticks PromQL takes everything
 * literally, so any value works that has no backtick itself.
 *
 * @param label @default the variable's name
 */
export function chosen(variable: string, label = variable): string {
  return `${label}=~\`\${${variable}:regex}\``;
}

/**
 * As {@link chosen}, for names of tests, which may have backticks. No format of Grafana's escapes a backtick without
 * breaking names with backslashes or newlines. So the variable's value is the name up to its first backtick (backticks at
 * its start aside), and the matcher adds the rest. Tests that differ only behind a backtick are chosen together.
 */
export function chosenTests(variable: string): string {
  return `test_name=~\`\\x60*\${${variable}:regex}(\\x60.*)?\``;
}

/** The part of a test's name that is the value of a variable, and the whole name that the list shows. */
const TEST_NAME = "/^(?<text>`*(?<value>[^`]+)[^]*)$/";
/** A code level that is a URL, which the list shows without its host. */
const CODE_LEVEL = "/^(?<value>(?:https?:\\/\\/[^\\/]+\\/)?(?<text>.+))$/";

/** A choice of values of a label. */
export interface VariableArgs {
  name: string;
  label: string;
  description: string;
  /** PromQL of the series to take the label from. */
  series: string;
  /** The label. @default name */
  of?: string;
  /** One value alone, not several or all. @default false */
  single?: boolean;
}

/** A variable of all the values that a label has in the time shown. */
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
      // Not the list of all, which would make queries as long as there are tests.
      .allValue(".+")
      .current({ selected: true, text: ["All"], value: ["$__all"] })
  );
}

/** Marks the times in which alerts fire; those of one code level together. */
function firing({ kind, panels }: NonNullable<DashboardArgs["alerts"]>): dashboard.AnnotationQueryBuilder {
  const builder = new dashboard.AnnotationQueryBuilder()
    .name("Alerts")
    .datasource(SOURCE)
    .enable(true)
    .iconColor("red")
    // Over the whole step, so that a short alert is seen over months too.
    .expr(
      `max by (alertname, code_level) (max_over_time(ALERTS{alertstate="firing", kind="${kind}"}[$__interval]))`,
    )
    .step("1m")
    .titleFormat("{{alertname}}")
    .tagKeys("code_level");
  if (panels === undefined) return builder;
  return builder.filter(new dashboard.AnnotationPanelFilterBuilder().exclude(false).ids(panels));
}

/** What a dashboard is made of. */
export interface DashboardArgs {
  title: string;
  /** Part of its address. */
  uid: string;
  description: string;
  /** How far back it shows when it is opened, e.g. "30d". */
  range: string;
  /** How often it asks again, e.g. "5m". */
  refresh: string;
  variables: dashboard.QueryVariableBuilder[];
  /** The alerts that are marked on panels over time, by their label `kind`. @default none */
  alerts?: { kind: "nightly" | "monitoring"; /** Ids. @default all */ panels?: number[] };
  /** From left to right, row by row. */
  panels: cog.Builder<dashboard.Panel>[];
}

/** A dashboard that can't be edited in the page: what is in the code is what is shown. */
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
        .tooltip("The other dashboards, at the same time")
        .keepTime(true),
    );
  if (args.alerts !== undefined) builder.annotation(firing(args.alerts));
  for (const panel of args.panels) builder.withPanel(panel);
  return builder.build() as Dashboard;
}
