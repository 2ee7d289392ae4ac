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

/** Initializes Grafana's libraries as Grafana's frontend does. Call this function once. */
export async function setUpLibraries(): Promise<void> {
  await initPluginTranslations("k8sfv-grafana-pages");
  setAppEvents(new EventBusSrv());
  setRunRequest(runRequest);
  // Parts of Grafana's libraries that run outside a scene use this object. It leaves text unchanged, because scenes
  // replace variables themselves.
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
        ? Promise.reject(new Error(`The Grafana stand-in has no panel of type ${id}`))
        : Promise.resolve(plugin);
    },
    getPanelPluginFromCache: (id) => panelPlugins[id],
  });
}

/** Registers the server's data sources for scenes. Call this function once. */
export function registerDataSources(settings: DataSourceSettings[]): void {
  for (const source of settings) {
    if (source.type === "prometheus")
      registerRuntimeDataSource({ dataSource: new PrometheusDataSource(source) });
  }
}

/** Returns the transformers, each once. The library lists some under both an old and a new name. */
function uniqueTransformers() {
  return [
    ...new Map(
      Object.values(standardTransformers).map((transformer) => [transformer.id, transformer]),
    ).values(),
  ];
}

/** Runs the queries of a panel. Emits a loading state first. */
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

/** Returns the field options of all panels, with IDs and paths as in dashboards. */
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
