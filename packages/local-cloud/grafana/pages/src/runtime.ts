import {
  dataLinksOverrideProcessor,
  type DataQueryRequest,
  type DataSourceApi,
  displayNameOverrideProcessor,
  EventBusSrv,
  type FieldConfigPropertyItem,
  identityOverrideProcessor,
  LoadingState,
  numberOverrideProcessor,
  type PanelData,
  standardFieldConfigEditorRegistry,
  standardTransformers,
  standardTransformersRegistry,
  stringOverrideProcessor,
  thresholdsOverrideProcessor,
  toDataFrame,
  unitOverrideProcessor,
  valueMappingsOverrideProcessor,
} from "@grafana/data";
import { initPluginTranslations } from "@grafana/i18n";
import {
  setAppEvents,
  setPluginImportUtils,
  setRunRequest,
  setTemplateSrv,
  toDataQueryError,
} from "@grafana/runtime";
import { registerRuntimeDataSource } from "@grafana/scenes";
import { catchError, from, map, type Observable, of, startWith } from "rxjs";
import type { DataSourceSettings } from "./api.ts";
import { panelPlugins } from "./panels/index.ts";
import { PrometheusDataSource } from "./prometheus/data-source.ts";

/** Sets what Grafana's frontend sets in its libraries before it draws anything. Once. */
export async function setUpLibraries(): Promise<void> {
  await initPluginTranslations("k8sfv-grafana-pages");
  setAppEvents(new EventBusSrv());
  setRunRequest(runRequest);
  // Scenes interpolate by themselves; this is for parts of the libraries that have no scene.
  setTemplateSrv({
    getVariables: () => [],
    replace: (target = "") => target,
    containsTemplate: (target = "") => target.includes("$"),
    updateTimeRange: () => undefined,
  });
  standardTransformersRegistry.setInit(() =>
    uniqueTransformers().map((transformer) => ({
      id: transformer.id,
      name: transformer.name,
      transformation: () => Promise.resolve(transformer),
      editor: () => null,
      imageDark: "",
      imageLight: "",
    })),
  );
  standardFieldConfigEditorRegistry.setInit(standardFieldOptions);
  setPluginImportUtils({
    importPanelPlugin: (id) => {
      const plugin = panelPlugins[id];
      return plugin === undefined
        ? Promise.reject(new Error(`This stand-in for Grafana has no panel of type ${id}`))
        : Promise.resolve(plugin);
    },
    getPanelPluginFromCache: (id) => panelPlugins[id],
  });
}

/** Makes the server's data sources known to scenes. Once. */
export function registerDataSources(settings: DataSourceSettings[]): void {
  for (const source of settings) {
    if (source.type === "prometheus")
      registerRuntimeDataSource({ dataSource: new PrometheusDataSource(source) });
  }
}

/** Some are listed under an old and a new name. */
function uniqueTransformers() {
  return [
    ...new Map(
      Object.values(standardTransformers).map((transformer) => [transformer.id, transformer]),
    ).values(),
  ];
}

/** Runs the queries of a panel, and says that it loads meanwhile. */
function runRequest(dataSource: DataSourceApi, request: DataQueryRequest): Observable<PanelData> {
  const loading: PanelData = { state: LoadingState.Loading, series: [], timeRange: request.range, request };
  return from(dataSource.query(request)).pipe(
    map(({ data, error, errors, state }): PanelData => {
      const failed = errors ?? (error === undefined ? undefined : [error]);
      return {
        ...loading,
        state: failed === undefined ? (state ?? LoadingState.Done) : LoadingState.Error,
        series: data.map((frame) => toDataFrame(frame)),
        errors: failed,
      };
    }),
    catchError((error: unknown) =>
      of({ ...loading, state: LoadingState.Error, errors: [toDataQueryError(error as Error)] }),
    ),
    startWith(loading),
  );
}

/** The options that fields of every panel have: ids and paths as dashboards store them. */
function standardFieldOptions(): FieldConfigPropertyItem[] {
  const processors: Record<string, FieldConfigPropertyItem["process"]> = {
    unit: unitOverrideProcessor,
    min: numberOverrideProcessor,
    max: numberOverrideProcessor,
    fieldMinMax: identityOverrideProcessor,
    decimals: numberOverrideProcessor,
    displayName: displayNameOverrideProcessor,
    color: identityOverrideProcessor,
    noValue: stringOverrideProcessor,
    links: dataLinksOverrideProcessor,
    mappings: valueMappingsOverrideProcessor,
    thresholds: thresholdsOverrideProcessor,
    filterable: identityOverrideProcessor,
  };
  return Object.entries(processors).map(([id, process]) => ({
    id,
    path: id,
    name: id,
    process,
    editor: () => null,
    override: () => null,
    shouldApply: () => true,
  }));
}
