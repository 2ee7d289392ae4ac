import type { DataSourceRef } from "@grafana/grafana-foundation-sdk/common";

/** Name of the data source for Prometheus, the same as in the previous, hand-built environment; also its UID. */
export const DATA_SOURCE = "my-prom";

/** Name and UID of the data source for Alertmanager. */
export const ALERTMANAGER_SOURCE = "my-alertmanager";

/** Reference to the data source for Prometheus, in panels, variables and annotations. */
export const SOURCE: DataSourceRef = { type: "prometheus", uid: DATA_SOURCE };
