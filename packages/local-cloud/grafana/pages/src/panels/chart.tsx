import type { PanelProps } from "@grafana/data";
import { LegendDisplayMode, type OptionsWithLegend } from "@grafana/schema";
import { VizLayout, VizLegend, type VizLegendItem, VizTooltipContent, VizTooltipHeader } from "@grafana/ui";
import type { ComponentProps, ReactNode } from "react";

interface ChartProps extends Pick<PanelProps<OptionsWithLegend>, "width" | "height" | "options"> {
  legend: VizLegendItem[];
  /** Draws the plot. */
  children: (width: number, height: number) => ReactNode;
}

/** A plot with its legend below it. */
export function Chart({ width, height, options, legend, children }: ChartProps) {
  return (
    <VizLayout
      width={width}
      height={height}
      legend={
        options.legend?.showLegend === false ? null : (
          <VizLayout.Legend placement="bottom">
            <VizLegend placement="bottom" displayMode={LegendDisplayMode.List} items={legend} />
          </VizLayout.Legend>
        )
      }
    >
      {children}
    </VizLayout>
  );
}

/** Shown instead of a chart that has no data. */
export function NoData({ height }: { height: number }) {
  return <div style={{ height, display: "grid", placeItems: "center" }}>No data</div>;
}

/** Tooltip of a part of a chart. */
export function ChartTooltip({
  title,
  items,
}: { title: string } & Pick<ComponentProps<typeof VizTooltipContent>, "items">) {
  return (
    <div>
      <VizTooltipHeader item={{ label: "", value: title }} />
      <VizTooltipContent items={items} />
    </div>
  );
}
