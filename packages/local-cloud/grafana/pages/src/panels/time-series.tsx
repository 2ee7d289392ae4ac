import {
  DashboardCursorSync,
  type DataFrame,
  dateTimeFormat,
  type Field,
  FieldColorModeId,
  FieldType,
  getDisplayProcessor,
  PanelPlugin,
  type PanelProps,
} from "@grafana/data";
import {
  AxisPlacement,
  GraphDrawStyle,
  GraphGradientMode,
  LineInterpolation,
  type OptionsWithLegend,
  type OptionsWithTooltip,
  SortOrder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
} from "@grafana/schema";
import {
  getFieldDisplayItems,
  TimeSeries,
  TooltipPlugin2,
  usePanelContext,
  useTheme2,
  VizTooltipContent,
  VizTooltipHeader,
  VizTooltipWrapper,
} from "@grafana/ui";
import { useMemo } from "react";
import { Annotations } from "./annotations.tsx";
import { useFields } from "./custom-fields.ts";

interface Options extends OptionsWithLegend, OptionsWithTooltip {}

/** TooltipHoverMode of @grafana/ui, which is not exported: the nearest series, or all series at a time. */
const HOVER = { nearest: 0, all: 1 } as const;

function TimeSeriesPanel(props: PanelProps<Options>) {
  const { data, width, height, timeRange, timeZone, options, onChangeTimeRange } = props;
  const theme = useTheme2();
  const { sync, eventsScope } = usePanelContext();
  const frames = useMemo(() => graphable(data.series, theme), [data.series, theme]);
  if (frames.length === 0) {
    return <div style={{ height, display: "grid", placeItems: "center" }}>No data</div>;
  }
  const { mode = TooltipDisplayMode.Single, sort = SortOrder.None } = options.tooltip as Partial<
    OptionsWithTooltip["tooltip"]
  >;
  return (
    <TimeSeries
      frames={frames}
      structureRev={data.structureRev}
      timeRange={timeRange}
      timeZone={timeZone}
      width={width}
      height={height}
      legend={options.legend}
    >
      {(config, aligned) => (
        <>
          {mode !== TooltipDisplayMode.None && (
            <TooltipPlugin2
              config={config}
              hoverMode={mode === TooltipDisplayMode.Single ? HOVER.nearest : HOVER.all}
              queryZoom={onChangeTimeRange}
              clientZoom
              syncMode={sync?.() ?? DashboardCursorSync.Off}
              syncScope={eventsScope}
              render={(_plot, dataIdxs, seriesIdx, isPinned) => (
                <Tooltip
                  fields={aligned.fields}
                  dataIdxs={dataIdxs}
                  seriesIdx={seriesIdx}
                  isPinned={isPinned}
                  mode={mode}
                  sort={sort}
                  timeZone={timeZone}
                />
              )}
            />
          )}
          <Annotations config={config} frames={data.annotations ?? []} timeZone={timeZone} />
        </>
      )}
    </TimeSeries>
  );
}

interface TooltipProps {
  fields: Field[];
  dataIdxs: (number | null)[];
  seriesIdx: number | null;
  isPinned: boolean;
  mode: TooltipDisplayMode;
  sort: SortOrder;
  timeZone: string;
}

function Tooltip({ fields, dataIdxs, seriesIdx, isPinned, mode, sort, timeZone }: TooltipProps) {
  const [time] = fields;
  if (time === undefined) return null;
  const at: unknown = time.values[dataIdxs[0] ?? 0];
  const items = getFieldDisplayItems(fields, time, dataIdxs, seriesIdx, mode, sort, isShown);
  return (
    <VizTooltipWrapper>
      <VizTooltipHeader
        item={{ label: "", value: dateTimeFormat(Number(at), { timeZone }) }}
        isPinned={isPinned}
      />
      <VizTooltipContent items={items} isPinned={isPinned} />
    </VizTooltipWrapper>
  );
}

function isShown({ type, config }: Field): boolean {
  const hidden = (config.custom as { hideFrom?: { tooltip?: boolean; viz?: boolean } } | undefined)?.hideFrom;
  return type === FieldType.number && hidden?.tooltip !== true && hidden?.viz !== true;
}

/** Returns frames with a time and numbers; other fields can't be drawn over time. */
function graphable(frames: DataFrame[], theme: ReturnType<typeof useTheme2>): DataFrame[] {
  return frames
    .map((frame) => ({
      ...frame,
      fields: frame.fields
        .filter(({ type }) => type === FieldType.time || type === FieldType.number)
        .map((field) => ({ ...field, display: field.display ?? getDisplayProcessor({ field, theme }) })),
    }))
    .filter(
      ({ fields, length }) =>
        length > 0 &&
        fields.some(({ type }) => type === FieldType.time) &&
        fields.some(({ type }) => type === FieldType.number),
    );
}

/** Lines over time. */
export const timeSeries = useFields(
  new PanelPlugin<Options>(TimeSeriesPanel).setDataSupport({ annotations: true, alertStates: false }),
  {
    drawStyle: GraphDrawStyle.Line,
    lineInterpolation: LineInterpolation.Linear,
    lineWidth: 1,
    lineStyle: undefined,
    fillOpacity: 0,
    fillBelowTo: undefined,
    gradientMode: GraphGradientMode.None,
    showPoints: VisibilityMode.Auto,
    pointSize: 5,
    spanNulls: false,
    insertNulls: false,
    stacking: { mode: StackingMode.None, group: "A" },
    axisPlacement: AxisPlacement.Auto,
    axisLabel: "",
    axisWidth: undefined,
    axisSoftMin: undefined,
    axisSoftMax: undefined,
    axisCenteredZero: false,
    axisBorderShow: false,
    axisGridShow: undefined,
    scaleDistribution: { type: "linear" },
    thresholdsStyle: { mode: "off" },
    hideFrom: { legend: false, tooltip: false, viz: false },
  },
  { color: { defaultValue: { mode: FieldColorModeId.PaletteClassic } } },
);
