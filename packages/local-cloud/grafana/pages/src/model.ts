import type {
  AnnotationQuery,
  DataLink,
  DataSourceRef,
  DataTransformerConfig,
  FieldConfigSource,
} from "@grafana/data";
import type { SceneDataQuery } from "@grafana/scenes";

/** A dashboard in Grafana's classic JSON model, with only the fields that this page supports. */
export interface DashboardModel {
  uid: string;
  title: string;
  description?: string;
  tags?: string[];
  time?: { from: string; to: string };
  timezone?: string;
  refresh?: string;
  graphTooltip?: number;
  templating?: { list?: VariableModel[] };
  annotations?: { list?: AnnotationQuery[] };
  links?: DashboardLinkModel[];
  panels?: PanelModel[];
}

/** A panel, or a row header. */
export interface PanelModel {
  id: number;
  type: string;
  title?: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  datasource?: DataSourceRef;
  targets?: SceneDataQuery[];
  interval?: string;
  maxDataPoints?: number;
  options?: Record<string, unknown>;
  fieldConfig?: FieldConfigSource;
  transformations?: DataTransformerConfig[];
  transparent?: boolean;
  links?: DataLink[];
  collapsed?: boolean;
  panels?: PanelModel[];
}

/** A variable of type "query". */
export interface VariableModel {
  name: string;
  type: string;
  label?: string;
  description?: string;
  hide?: number;
  datasource?: DataSourceRef;
  query?: string | { query: string; refId?: string };
  definition?: string;
  regex?: string;
  sort?: number;
  refresh?: number;
  multi?: boolean;
  includeAll?: boolean;
  allValue?: string | null;
  current?: { value?: string | string[]; text?: string | string[] };
}

/** A link in the dashboard's header: to dashboards with some tags, or to a URL. */
export interface DashboardLinkModel {
  type: "dashboards" | "link";
  title: string;
  tooltip?: string;
  url?: string;
  tags?: string[];
  asDropdown?: boolean;
  targetBlank?: boolean;
  includeVars?: boolean;
  keepTime?: boolean;
}
