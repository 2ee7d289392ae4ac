import {
  dateTimeForTimeZone,
  dateTimeFormat,
  type DataFrame,
  type DisplayValue,
  FieldColorModeId,
  FieldType,
  formattedValueToString,
  getDisplayProcessor,
  getFieldDisplayName,
  type GrafanaTheme2,
  PanelPlugin,
  type PanelProps,
} from "@grafana/data";
import type { OptionsWithLegend } from "@grafana/schema";
import { Tooltip, useTheme2, type VizLegendItem } from "@grafana/ui";
import { timeTicks } from "./axis.ts";
import { Chart, ChartTooltip, NoData } from "./chart.tsx";
import { useFields } from "./custom-fields.ts";

interface Options extends OptionsWithLegend {
  rowHeight?: number;
}

/** A time span in which a series has one state. */
interface State {
  from: number;
  to: number;
  shown: DisplayValue;
}

interface Row {
  name: string;
  states: State[];
}

const MARGIN = { right: 8, top: 4, bottom: 22 };
/** Approximate width of a character in pixels. */
const CHARACTER = 6.6;

function StateTimelinePanel({ data, width, height, options, timeRange, timeZone }: PanelProps<Options>) {
  const theme = useTheme2();
  const rows = data.series.flatMap((frame) => toRows(frame, theme));
  if (rows.length === 0) {
    return <NoData height={height} />;
  }
  return (
    <Chart width={width} height={height} options={options} legend={legend(rows)}>
      {(plotWidth, plotHeight) => (
        <Plot
          rows={rows}
          width={plotWidth}
          height={plotHeight}
          from={timeRange.from.valueOf()}
          to={timeRange.to.valueOf()}
          timeZone={timeZone}
          rowHeight={options.rowHeight ?? 0.9}
          theme={theme}
        />
      )}
    </Chart>
  );
}

interface PlotProps {
  rows: Row[];
  width: number;
  height: number;
  from: number;
  to: number;
  timeZone: string;
  rowHeight: number;
  theme: GrafanaTheme2;
}

function Plot({ rows, width, height, from, to, timeZone, rowHeight, theme }: PlotProps) {
  const left = Math.min(width / 3, 12 + CHARACTER * Math.max(...rows.map(({ name }) => name.length)));
  const x = (time: number) =>
    left + ((Math.min(to, Math.max(from, time)) - from) / (to - from)) * (width - left - MARGIN.right);
  const band = (height - MARGIN.top - MARGIN.bottom) / rows.length;
  const text = { fill: theme.colors.text.primary, fontSize: theme.typography.bodySmall.fontSize };
  const offsetAt = (time: number) => dateTimeForTimeZone(timeZone, time).utcOffset() * 60_000;
  const { times, format } = timeTicks(from, to, Math.floor((width - left) / 80), offsetAt);
  return (
    <svg width={width} height={height} role="img" aria-label="State timeline" style={{ display: "block" }}>
      {times.map((at) => (
        <text key={at} x={x(at)} y={height - 6} textAnchor="middle" {...text}>
          {dateTimeFormat(at, { timeZone, format })}
        </text>
      ))}
      {rows.map(({ name, states }, row) => (
        <g key={name}>
          <text x={left - 6} y={MARGIN.top + (row + 0.5) * band} dy="0.32em" textAnchor="end" {...text}>
            {name}
          </text>
          {states.map((state) => (
            <Tooltip
              key={state.from}
              content={<StateTooltip name={name} state={state} timeZone={timeZone} />}
            >
              <rect
                data-testid="state"
                x={x(state.from)}
                y={MARGIN.top + (row + (1 - rowHeight) / 2) * band}
                width={Math.max(1, x(state.to) - x(state.from))}
                height={band * rowHeight}
                fill={state.shown.color}
                fillOpacity={0.8}
              />
            </Tooltip>
          ))}
        </g>
      ))}
    </svg>
  );
}

function StateTooltip({ name, state, timeZone }: { name: string; state: State; timeZone: string }) {
  const times = [state.from, state.to].map((at) => dateTimeFormat(at, { timeZone })).join(" to ");
  return (
    <ChartTooltip
      title={times}
      items={[{ label: name, value: formattedValueToString(state.shown), color: state.shown.color }]}
    />
  );
}

/** Returns a row for each field of numbers, strings or booleans. Successive values with the same text are one state. */
function toRows(frame: DataFrame, theme: GrafanaTheme2): Row[] {
  const times = (frame.fields.find(({ type }) => type === FieldType.time)?.values ?? []) as number[];
  const step = Math.min(...times.slice(1).map((time, at) => time - (times[at] ?? 0)));
  return frame.fields
    .filter(
      ({ type }) => type === FieldType.number || type === FieldType.string || type === FieldType.boolean,
    )
    .map((field) => {
      const display = field.display ?? getDisplayProcessor({ field, theme });
      const states: State[] = [];
      for (const [at, from] of times.entries()) {
        const value: unknown = field.values[at];
        if (value === null || value === undefined) continue;
        const shown = display(value);
        const to = from + (Number.isFinite(step) ? step : 0);
        const last = states.at(-1);
        if (last?.shown.text === shown.text && from - last.to <= step / 2) last.to = to;
        else states.push({ from, to, shown });
      }
      return { name: getFieldDisplayName(field, frame), states };
    });
}

/** Returns a legend item for each text that a state shows. */
function legend(rows: Row[]): VizLegendItem[] {
  const seen = new Map(rows.flatMap(({ states }) => states).map(({ shown }) => [shown.text, shown]));
  return [...seen.values()].map((shown) => ({
    label: formattedValueToString(shown),
    color: shown.color ?? "",
    yAxis: 1,
  }));
}

/** A band for each series, whose color shows its state over time. */
export const stateTimeline = useFields(
  new PanelPlugin<Options>(StateTimelinePanel),
  {
    fillOpacity: 70,
    lineWidth: 0,
    spanNulls: false,
    hideFrom: { legend: false, tooltip: false, viz: false },
  },
  { color: { defaultValue: { mode: FieldColorModeId.ContinuousGrYlRd } } },
);
