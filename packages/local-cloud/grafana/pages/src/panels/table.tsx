import { cacheFieldDisplayNames, type DataFrame, PanelPlugin, type PanelProps } from "@grafana/data";
import { TableCellDisplayMode, type TableSortByFieldState } from "@grafana/ui";
import { TableNG } from "@grafana/ui/unstable";
import { useMemo } from "react";
import { useFields } from "./custom-fields.ts";

interface Options {
  sortBy?: TableSortByFieldState[];
  cellHeight?: "sm" | "md" | "lg";
  showHeader?: boolean;
}

function TablePanel({ data, width, height, options, fieldConfig, timeRange }: PanelProps<Options>) {
  const frame: DataFrame | undefined = data.series[0];
  // Sets the display names in the fields' states. The table uses them as headers.
  useMemo(() => {
    cacheFieldDisplayNames(data.series);
  }, [data.series]);
  if (frame === undefined || frame.fields.length === 0 || frame.length === 0) {
    return <div style={{ height, display: "grid", placeItems: "center" }}>No data</div>;
  }
  return (
    <TableNG
      data={frame}
      width={width}
      height={height}
      noHeader={options.showHeader === false}
      sortBy={options.sortBy}
      fieldConfig={fieldConfig}
      timeRange={timeRange}
      structureRev={data.structureRev}
    />
  );
}

/** The table panel. It shows only the first frame. */
export const table = useFields(new PanelPlugin<Options>(TablePanel), {
  align: "auto",
  width: undefined,
  minWidth: undefined,
  filterable: false,
  inspect: false,
  hideFrom: undefined,
  wrapText: false,
  cellOptions: { type: TableCellDisplayMode.Auto },
});
