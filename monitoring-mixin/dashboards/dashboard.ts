import type * as cog from "@grafana/grafana-foundation-sdk/cog";
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import { SOURCE } from "./data-sources.ts";

/** Title and UID of the dashboards' folder. */
export const FOLDER = "k8sfv";

/** Tag of the dashboards, by which they link to one another. */
const TAG = "k8sfv";

/** A dashboard in Grafana's JSON model. */
export type Dashboard = dashboard.Dashboard & { uid: string; title: string };

/** Returns annotations of the times in which alerts fire: one for each alert name and code level. */
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
    /** IDs of the panels with annotations. @default all */
    panels?: number[];
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
