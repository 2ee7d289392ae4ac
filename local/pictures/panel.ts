import * as echarts from "echarts";
import type { Column, Frame, Panel, Range } from "../panels.ts";
import { COLOURS, format } from "./units.ts";

/** A panel with what Grafana answered to it. */
export interface Answered {
  panel: Panel & Drawn;
  frames: Frame[];
  range: Range;
}

/** What a panel says of how it is drawn. */
export interface Drawn {
  gridPos: { x: number; y: number; w: number; h: number };
  fieldConfig: {
    defaults: {
      unit: string;
      noValue?: string;
      mappings?: { options: Record<string, { text: string; color: string }> }[];
      thresholds?: { steps: { value: number | null; color: string }[] };
    };
    overrides: { matcher: { options: string }; properties: { id: string; value: unknown }[] }[];
  };
  options?: { sortBy?: { displayName: string }[] };
  transformations?: { id: string; options: { renameByName?: Record<string, string> } }[];
}

type Size = [width: number, height: number];

/** Draws a panel's inside as SVG. */
export function drawPanel(answered: Answered, size: Size): string {
  switch (answered.panel.type) {
    case "stat":
      return drawStat(answered, size);
    case "table":
      return drawTable(answered, size);
    case "barchart":
      return drawBars(answered, size);
    case "state-timeline":
      return drawStates(answered, size);
    default:
      return drawLines(answered, size);
  }
}

function drawLines({ panel, frames, range }: Answered, size: Size): string {
  const { unit } = panel.fieldConfig.defaults;
  return chart(size, {
    grid: { left: 70, right: 12, top: 10, bottom: 30 + legendHeight(frames, size) },
    legend: {
      bottom: 0,
      left: 10,
      icon: "roundRect",
      itemHeight: 3,
      itemGap: 8,
      textStyle: { fontSize: 10 },
    },
    xAxis: { type: "time", min: range.from, max: range.to, axisLine: { onZero: false } },
    yAxis: axis(unit, range),
    series: frames.map((frame) => ({
      type: "line",
      name: valueColumn(frame).name,
      symbolSize: 3,
      // A point each would make the picture large, and show nothing.
      showSymbol: pairs(frame).length < 60,
      lineStyle: { width: 1 },
      data: pairs(frame),
    })),
  });
}

/** Names stand in rows, as many as there is room for beside one another. */
function legendHeight(frames: Frame[], [width]: Size): number {
  const lengths = frames.map((frame) => 45 + 5.5 * valueColumn(frame).name.length);
  return 18 * Math.ceil((1.15 * lengths.reduce((sum, one) => sum + one, 0)) / width);
}

function drawStates({ panel, frames, range }: Answered, size: Size): string {
  const colours = panel.fieldConfig.defaults.mappings?.[0]?.options ?? {};
  return chart(size, {
    grid: { left: 110, right: 12, top: 10, bottom: 30 },
    xAxis: { type: "time", min: range.from, max: range.to },
    yAxis: { type: "category", data: frames.map((frame) => valueColumn(frame).name) },
    series: frames.map((frame, row) => ({
      type: "scatter",
      symbol: "rect",
      symbolSize: [Math.ceil(size[0] / STATES) + 1, 22],
      data: thinned(pairs(frame)).map(([at, value]) => ({
        value: [at, row],
        itemStyle: { color: COLOURS[colours[String(value)]?.color ?? ""] ?? "#888888" },
      })),
    })),
  });
}

/** So many states are drawn side by side: more would make the picture large, and show nothing. */
const STATES = 150;

function thinned<T>(points: T[]): T[] {
  const each = Math.ceil(points.length / STATES);
  return points.filter((_, at) => at % each === 0);
}

function drawBars({ panel, frames, range }: Answered, size: Size): string {
  const labels = (frame: Frame) => valueColumn(frame).labels;
  const steps = [...new Set(frames.map((frame) => labels(frame).step ?? ""))].sort();
  const groups = [...new Set(frames.map((frame) => labels(frame).code_level ?? ""))].sort();
  return chart(size, {
    grid: { left: 70, right: 12, top: 10, bottom: 45 },
    legend: { bottom: 0, left: 10, textStyle: { fontSize: 10 } },
    xAxis: { type: "category", data: steps },
    yAxis: axis(panel.fieldConfig.defaults.unit, range),
    series: groups.map((group) => ({
      type: "bar",
      name: group,
      data: steps.map((step) => {
        const frame = frames.find((one) => labels(one).code_level === group && labels(one).step === step);
        return frame === undefined ? null : valueColumn(frame).values[0];
      }),
    })),
  });
}

function drawStat({ panel, frames, range }: Answered, [width, height]: Size): string {
  const { unit, noValue = "", thresholds } = panel.fieldConfig.defaults;
  const numbers = frames.map((frame) => ({
    name: frames.length > 1 ? valueColumn(frame).name : "",
    value: Number(valueColumn(frame).values.at(-1)),
  }));
  if (numbers.length === 0) return tile(0, width, height, COLOURS.green, noValue, "");
  return numbers
    .map(({ name, value }, at) => {
      const step = thresholds?.steps.filter((one) => one.value === null || value >= one.value).at(-1);
      const colour = COLOURS[step?.color ?? ""] ?? COLOURS.blue;
      const each = width / numbers.length;
      return tile(at * each, each, height, colour, format(value, unit, range.to), name);
    })
    .join("");
}

function tile(
  x: number,
  width: number,
  height: number,
  colour = "#888888",
  value: string,
  name: string,
): string {
  const middle = x + width / 2;
  return (
    `<rect x="${x + 2}" width="${width - 4}" height="${height}" fill="${colour}" rx="3"/>` +
    text(middle, height / 2 + 9, value, {
      size: width < 150 ? 14 : 24,
      anchor: "middle",
      colour: "#ffffff",
    }) +
    text(middle, 14, name, { size: 11, anchor: "middle", colour: "#ffffff" })
  );
}

/** Rows by their labels, a column a query: as the panel's transformations put them together. */
function drawTable({ panel, frames, range }: Answered, [width, height]: Size): string {
  const names = panel.transformations?.find(({ id }) => id === "organize")?.options.renameByName ?? {};
  const keys = Object.keys(names);
  const rows = new Map<string, Record<string, number | string | null>>();
  for (const frame of frames) {
    const { labels, values } = valueColumn(frame);
    const key = JSON.stringify(["test_name", "code_level", "process"].map((name) => labels[name]));
    rows.set(key, { ...labels, ...rows.get(key), [`Value #${frame.refId}`]: values.at(-1) ?? null });
  }
  const shares = keys.map((key) => (key === "test_name" ? 4 : 1));
  const unit = width / shares.reduce((sum, share) => sum + share, 0);
  const left = shares.map((_, at) => shares.slice(0, at).reduce((sum, share) => sum + share, 0) * unit);
  const head = keys.map((key, at) =>
    text(
      (left[at] ?? 0) + 6,
      14,
      (names[key] ?? key).slice(0, Math.floor(((shares[at] ?? 1) * unit) / 6.2)),
      { size: 11, bold: true },
    ),
  );
  const sort = panel.options?.sortBy?.[0]?.displayName;
  const by = keys.find((key) => names[key] === sort);
  const sorted = [...rows.values()].sort((a, b) => (by === undefined ? 0 : Number(a[by]) - Number(b[by])));
  const lines = sorted.slice(0, Math.floor(height / 22) - 1).map((row, line) =>
    keys
      .map((key, at) => {
        const { shown, colour } = cell(panel, names[key] ?? key, row[key], range.to);
        const [x, y, wide] = [left[at] ?? 0, 22 * (line + 1), (shares[at] ?? 1) * unit];
        const ground =
          colour === undefined
            ? ""
            : `<rect x="${x}" y="${y}" width="${wide - 2}" height="20" fill="${colour}"/>`;
        const most = Math.floor(wide / 6.2);
        return ground + text(x + 6, y + 14, shown.slice(0, most), { size: 11, colour: colour && "#ffffff" });
      })
      .join(""),
  );
  return [...head, ...lines].join("");
}

function cell(panel: Drawn, name: string, value: number | string | null | undefined, now: number) {
  const override = panel.fieldConfig.overrides.find(({ matcher }) => matcher.options === name);
  const property = (id: string) => override?.properties.find((one) => one.id === id)?.value;
  const mappings = property("mappings") as
    { options: Record<string, { text: string; color: string }> }[] | undefined;
  const mapped = mappings?.[0]?.options[String(value)];
  if (mapped !== undefined) return { shown: mapped.text, colour: COLOURS[mapped.color] };
  const steps = (property("thresholds") as { steps: { value: number | null; color: string }[] } | undefined)
    ?.steps;
  const step = steps?.filter((one) => one.value === null || Number(value) >= one.value).at(-1);
  const unit = (property("unit") as string | undefined) ?? panel.fieldConfig.defaults.unit;
  return { shown: format(value, unit, now), colour: step && COLOURS[step.color] };
}

function valueColumn(frame: Frame): Column {
  const column = frame.columns.at(-1);
  if (column === undefined) throw new Error("A frame has no columns");
  return column;
}

function pairs(frame: Frame): [number, number][] {
  return valueColumn(frame).values.map((value, at) => [Number(frame.columns[0]?.values[at]), Number(value)]);
}

function axis(unit: string, range: Range) {
  return {
    type: "value",
    scale: true,
    axisLabel: { fontSize: 10, formatter: (value: number) => format(value, unit, range.to) },
  };
}

function chart([width, height]: Size, option: object): string {
  const drawn = echarts.init(null, undefined, { renderer: "svg", ssr: true, width, height });
  drawn.setOption({ animation: false, textStyle: { fontFamily: "sans-serif" }, ...option });
  const svg = drawn.renderToSVGString();
  drawn.dispose();
  // A tenth of a pixel is more than anyone sees. Not in texts, where 3.30 and 3.31 are releases.
  return svg.replaceAll(/<[^>]+>/g, (tag) => tag.replaceAll(/(\d+\.\d)\d+/g, "$1"));
}

/** SVG text. */
export function text(
  x: number,
  y: number,
  content: string,
  { size, anchor = "start", colour = "#24292e", bold = false }: TextStyle,
): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const weight = bold ? ' font-weight="bold"' : "";
  return `<text x="${x}" y="${y}" font-size="${size}" text-anchor="${anchor}" fill="${colour}"${weight}>${escaped}</text>`;
}

interface TextStyle {
  size: number;
  anchor?: "start" | "middle";
  colour?: string;
  bold?: boolean;
}
