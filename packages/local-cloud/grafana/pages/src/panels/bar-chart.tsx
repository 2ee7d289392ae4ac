import {
  type DataFrame,
  type Field,
  FieldColorModeId,
  FieldType,
  formattedValueToString,
  getDisplayProcessor,
  getFieldDisplayName,
  getFieldSeriesColor,
  type GrafanaTheme2,
  PanelPlugin,
  type PanelProps,
} from "@grafana/data";
import type { OptionsWithLegend } from "@grafana/schema";
import { Tooltip, useTheme2, type VizLegendItem } from "@grafana/ui";
import { ticks } from "./axis.ts";
import { Chart, ChartTooltip, NoData } from "./chart.tsx";
import { useFields } from "./custom-fields.ts";

interface Options extends OptionsWithLegend {
  xField?: string;
}

/** Grouped bars with names on the x-axis. */
interface Bars {
  names: string[];
  series: { name: string; color: string; field: Field }[];
}

const MARGIN = { left: 64, right: 8, top: 8, bottom: 22 };

function BarChartPanel({ data, width, height, options }: PanelProps<Options>) {
  const theme = useTheme2();
  const bars = data.series[0] && toBars(data.series[0], options.xField, theme);
  if (bars === undefined || bars.names.length === 0 || bars.series.length === 0) {
    return <NoData height={height} />;
  }
  const legend = bars.series.map(({ name, color }): VizLegendItem => ({ label: name, color, yAxis: 1 }));
  return (
    <Chart width={width} height={height} options={options} legend={legend}>
      {(plotWidth, plotHeight) => <Plot bars={bars} width={plotWidth} height={plotHeight} theme={theme} />}
    </Chart>
  );
}

interface PlotProps {
  bars: Bars;
  width: number;
  height: number;
  theme: GrafanaTheme2;
}

function Plot({ bars: { names, series }, width, height, theme }: PlotProps) {
  const values = series.flatMap(
    ({ field }) => field.values.filter((value) => Number.isFinite(value)) as number[],
  );
  const binary = series[0]?.field.config.unit === "bytes";
  const scale = ticks(Math.min(0, ...values), Math.max(0, ...values), binary);
  const [low, high] = [scale[0] ?? 0, scale.at(-1) ?? 1];
  const inner = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
  const y = (value: number) => MARGIN.top + inner.height * (1 - (value - low) / (high - low));
  const group = inner.width / names.length;
  const bar = (group * 0.8) / series.length;
  const every = Math.ceil(names.length / Math.max(1, Math.floor(inner.width / 40)));
  const text = { fill: theme.colors.text.primary, fontSize: theme.typography.bodySmall.fontSize };
  return (
    <svg width={width} height={height} role="img" aria-label="Bar chart" style={{ display: "block" }}>
      {scale.map((value) => (
        <g key={value}>
          <line
            x1={MARGIN.left}
            x2={width - MARGIN.right}
            y1={y(value)}
            y2={y(value)}
            stroke={theme.colors.border.weak}
          />
          <text x={MARGIN.left - 6} y={y(value)} dy="0.32em" textAnchor="end" {...text}>
            {format(series[0]?.field, value)}
          </text>
        </g>
      ))}
      {names.map((name, row) => (
        <Tooltip key={name} content={<BarTooltip name={name} row={row} series={series} />} placement="top">
          <g data-testid="bar-group">
            <rect
              x={MARGIN.left + row * group}
              y={MARGIN.top}
              width={group}
              height={inner.height}
              fill="transparent"
            />
            {series.map(({ name: label, color, field }, at) => {
              const value = field.values[row] as number | null;
              if (value === null || !Number.isFinite(value)) return null;
              const [top, bottom] = [y(Math.max(value, 0)), y(Math.min(value, 0))];
              return (
                <rect
                  key={label}
                  x={MARGIN.left + row * group + group * 0.1 + at * bar}
                  y={top}
                  width={Math.max(1, bar - 1)}
                  height={bottom - top}
                  fill={color}
                  fillOpacity={0.8}
                />
              );
            })}
            {row % every === 0 && (
              <text x={MARGIN.left + (row + 0.5) * group} y={height - 6} textAnchor="middle" {...text}>
                {name}
              </text>
            )}
          </g>
        </Tooltip>
      ))}
    </svg>
  );
}

function BarTooltip({ name, row, series }: { name: string; row: number; series: Bars["series"] }) {
  const items = series.map(({ name: label, color, field }) => ({
    label,
    color,
    value: format(field, field.values[row] as number | null),
  }));
  return <ChartTooltip title={name} items={items} />;
}

function toBars(frame: DataFrame, xField: string | undefined, theme: GrafanaTheme2): Bars | undefined {
  const x =
    frame.fields.find((field) => xField !== undefined && getFieldDisplayName(field, frame) === xField) ??
    frame.fields.find(({ type }) => type === FieldType.string);
  if (x === undefined) return undefined;
  const series = frame.fields
    .filter((field) => field !== x && field.type === FieldType.number)
    .map((field, seriesIndex) => ({
      name: getFieldDisplayName(field, frame),
      // `seriesIndex` selects the color. It does not count the field of bar names, so the first series has the first
      // color.
      color: getFieldSeriesColor({ ...field, state: { ...field.state, seriesIndex } }, theme).color,
      field: { ...field, display: field.display ?? getDisplayProcessor({ field, theme }) },
    }));
  return { names: x.values.map(String), series };
}

function format(field: Field | undefined, value: number | null): string {
  return field?.display === undefined ? String(value) : formattedValueToString(field.display(value));
}

/** Bar chart that is grouped by the values of one field. */
export const barChart = useFields(
  new PanelPlugin<Options>(BarChartPanel),
  { fillOpacity: 80, lineWidth: 1, hideFrom: { legend: false, tooltip: false, viz: false } },
  { color: { defaultValue: { mode: FieldColorModeId.PaletteClassic } } },
);
