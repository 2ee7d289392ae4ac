import type { AnnotationQuery } from "@grafana/data";
import {
  behaviors,
  dataLayers,
  EmbeddedScene,
  QueryVariable,
  SceneControlsSpacer,
  SceneDataLayerSet,
  SceneDataTransformer,
  SceneFlexItem,
  SceneFlexLayout,
  SceneGridItem,
  SceneGridLayout,
  SceneGridRow,
  type SceneObject,
  SceneQueryRunner,
  SceneReactObject,
  SceneRefreshPicker,
  SceneTimePicker,
  SceneTimeRange,
  SceneVariableSet,
  VariableValueSelectors,
  VizPanel,
} from "@grafana/scenes";
import type { DashboardModel, PanelModel, VariableModel } from "./model.ts";
import { AnnotationSwitches } from "./views/annotation-switches.tsx";
import { DashboardLinks } from "./views/dashboard-links.tsx";

/** Minimum height in pixels of a panel that is shown alone. */
const ALONE_HEIGHT = 600;

/**
 * Returns the scene of a dashboard with its variables, time range, panels and queries.
 *
 * @param viewPanel ID of the single panel to show; undefined for all
 */
export function dashboardScene(dashboard: DashboardModel, viewPanel?: number): EmbeddedScene {
  const panels = dashboard.panels ?? [];
  const alone = panels
    .flatMap((panel) => [panel, ...(panel.panels ?? [])])
    .find(({ id }) => id === viewPanel);
  const layers = (dashboard.annotations?.list ?? []).flatMap(annotations);
  return new EmbeddedScene({
    $timeRange: new SceneTimeRange({
      ...(dashboard.time ?? { from: "now-6h", to: "now" }),
      timeZone: dashboard.timezone === "" ? undefined : dashboard.timezone,
    }),
    $variables: new SceneVariableSet({ variables: (dashboard.templating?.list ?? []).map(variable) }),
    $data: new SceneDataLayerSet({ layers }),
    $behaviors: [
      new behaviors.CursorSync({ sync: dashboard.graphTooltip ?? 0 }),
      new behaviors.SceneQueryController(),
    ],
    controls: controls(dashboard, layers),
    body: alone === undefined ? grid(panels) : single(alone),
  });
}

function controls(dashboard: DashboardModel, layers: dataLayers.AnnotationsDataLayer[]): SceneObject[] {
  return [
    new VariableValueSelectors({}),
    new SceneReactObject({ component: AnnotationSwitches, props: { layers } }),
    new SceneControlsSpacer(),
    new SceneReactObject({
      component: DashboardLinks,
      props: { links: dashboard.links ?? [], uid: dashboard.uid },
    }),
    new SceneTimePicker({ isOnCanvas: true }),
    new SceneRefreshPicker({ refresh: dashboard.refresh ?? "", isOnCanvas: true }),
  ];
}

/** Returns a query variable. @throws Error for other types, which the project doesn't use */
function variable(model: VariableModel): QueryVariable {
  if (model.type !== "query") {
    throw new Error(
      `The Grafana stand-in supports only variables of type query, not ${model.type} (${model.name})`,
    );
  }
  const current = model.current?.value;
  return new QueryVariable({
    name: model.name,
    label: model.label,
    description: model.description,
    hide: model.hide ?? 0,
    datasource: model.datasource ?? null,
    query: typeof model.query === "string" ? model.query : { refId: model.name, ...model.query },
    definition: model.definition,
    regex: model.regex ?? "",
    sort: model.sort ?? 0,
    refresh: model.refresh ?? 1,
    isMulti: model.multi,
    includeAll: model.includeAll,
    allValue: model.allValue ?? undefined,
    defaultToAll: model.includeAll,
    value: current ?? (model.multi === true ? [] : ""),
    text: model.current?.text ?? current ?? "",
  });
}

function annotations(query: AnnotationQuery): dataLayers.AnnotationsDataLayer[] {
  // This is Grafana's built-in query for manual annotations, which these pages don't support.
  if (query.datasource?.uid === "-- Grafana --") return [];
  return [
    new dataLayers.AnnotationsDataLayer({
      name: query.name,
      query,
      isEnabled: query.enable,
      isHidden: query.hide === true,
    }),
  ];
}

function grid(panels: PanelModel[]): SceneGridLayout {
  return new SceneGridLayout({ isDraggable: false, isResizable: false, children: panels.map(gridItem) });
}

function gridItem({ gridPos, ...panel }: PanelModel): SceneGridItem | SceneGridRow {
  const { x, y, w: width, h: height } = gridPos;
  if (panel.type !== "row") {
    return new SceneGridItem({ x, y, width, height, body: vizPanel({ gridPos, ...panel }) });
  }
  return new SceneGridRow({
    y,
    title: panel.title,
    isCollapsed: panel.collapsed ?? false,
    children: (panel.panels ?? []).map(gridItem),
  });
}

function single(panel: PanelModel): SceneFlexLayout {
  return new SceneFlexLayout({
    children: [new SceneFlexItem({ minHeight: ALONE_HEIGHT, body: vizPanel(panel) })],
  });
}

function vizPanel(panel: PanelModel): VizPanel {
  return new VizPanel({
    key: `panel-${panel.id}`,
    pluginId: panel.type,
    title: panel.title ?? "",
    description: panel.description,
    displayMode: panel.transparent === true ? "transparent" : "default",
    options: panel.options ?? {},
    fieldConfig: panel.fieldConfig ?? { defaults: {}, overrides: [] },
    $data: new SceneDataTransformer({
      transformations: panel.transformations ?? [],
      $data: new SceneQueryRunner({
        datasource: panel.datasource,
        queries: panel.targets ?? [],
        minInterval: panel.interval,
        maxDataPoints: panel.maxDataPoints,
        maxDataPointsFromWidth: true,
        // Annotations use this to select their panels.
        dataLayerFilter: { panelId: panel.id },
      }),
    }),
  });
}
