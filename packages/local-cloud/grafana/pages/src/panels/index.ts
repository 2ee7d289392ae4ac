import { type PanelPlugin, type PanelPluginMeta, PluginType } from "@grafana/data";
import { barChart } from "./bar-chart.tsx";
import { stat } from "./stat.tsx";
import { stateTimeline } from "./state-timeline.tsx";
import { table } from "./table.tsx";
import { timeSeries } from "./time-series.tsx";

/** Panel plugins by panel type, the field `type` of a panel in a dashboard's JSON. */
export const panelPlugins: Record<string, PanelPlugin | undefined> = {
  timeseries: timeSeries,
  stat,
  table,
  barchart: barChart,
  "state-timeline": stateTimeline,
};

for (const [id, plugin] of Object.entries(panelPlugins)) {
  if (plugin !== undefined) plugin.meta = meta(id);
}

function meta(id: string): PanelPluginMeta {
  const info = {
    author: { name: "" },
    description: "",
    links: [],
    logos: { large: "", small: "" },
    screenshots: [],
  };
  return {
    id,
    name: id,
    type: PluginType.panel,
    sort: 0,
    module: "",
    baseUrl: "",
    info: { ...info, updated: "", version: "" },
  };
}
