/**
 * Replaces @grafana/plugin-compat/datasources, which re-exports names that this version of @grafana/runtime
 * doesn't have. Scenes call it for data sources that were not registered, i.e. don't exist.
 */
export function getDataSourceInstance(reference?: { uid?: string } | string | null): Promise<never> {
  const uid = typeof reference === "string" ? reference : reference?.uid;
  return Promise.reject(new Error(`No data source ${uid ?? "(default)"}`));
}

/** Scenes call these for variables of type "datasource" and ad hoc filters, which this page doesn't have. */
export function getDataSourceInstanceList(): Promise<never[]> {
  return Promise.resolve([]);
}

export function getDefaultDataSourceInstanceListItem(): Promise<undefined> {
  return Promise.resolve(undefined);
}
