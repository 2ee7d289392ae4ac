// This module replaces @grafana/plugin-compat/datasources, which re-exports names that this version of @grafana/runtime
// doesn't have.

/** Always fails, because Scenes call this function only for data sources that are not registered. */
export function getDataSourceInstance(reference?: { uid?: string } | string | null): Promise<never> {
  const uid = typeof reference === "string" ? reference : reference?.uid;
  return Promise.reject(new Error(`No data source ${uid ?? "(default)"}`));
}

/** Scenes call this function for variables of type "datasource" and ad hoc filters, which these pages don't support. */
export function getDataSourceInstanceList(): Promise<never[]> {
  return Promise.resolve([]);
}

/** Scenes call this function for variables of type "datasource" and ad hoc filters, which these pages don't support. */
export function getDefaultDataSourceInstanceListItem(): Promise<undefined> {
  return Promise.resolve(undefined);
}
