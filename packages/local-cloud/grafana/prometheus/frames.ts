/** Prometheus' answer to a query. */
export type PrometheusResult =
  | { resultType: "matrix"; result: { metric: Labels; values: Sample[] }[] }
  | { resultType: "vector"; result: { metric: Labels; value: Sample }[] }
  | { resultType: "scalar" | "string"; result: Sample };

type Labels = Record<string, string>;
/** Seconds, and the value as text. */
type Sample = [number, string];

/** A data frame in Grafana's JSON: columns, described and then filled. */
export interface Frame {
  schema: { refId: string; meta: FrameMeta; fields: Field[] };
  data: { values: unknown[][]; entities?: (Entities | null)[] };
}

interface FrameMeta {
  type?: string;
  typeVersion: [number, number];
  custom?: { resultType: string };
  executedQueryString?: string;
  notices?: { severity: string; text: string }[];
}

interface Field {
  name: string;
  type: "time" | "number" | "string";
  typeInfo: { frame: string };
  labels?: Labels;
  config?: { interval?: number; displayNameFromDS?: string };
}

/** Where a column has values that JSON lacks. */
interface Entities {
  NaN?: number[];
  Inf?: number[];
  NegInf?: number[];
}

/** What frames are called and described by. */
export interface FrameArgs {
  refId: string;
  /** The query as it was sent. */
  expr: string;
  legendFormat: string;
  /** In ms. */
  step: number;
  /** For people who look at what was sent. */
  executed: string;
  warnings: string[];
}

const FRAME_TYPES: Record<string, string> = {
  matrix: "timeseries-multi",
  vector: "numeric-multi",
  scalar: "numeric-multi",
};

/** One frame a series, or one without fields when there is no series. The first says what was asked. */
export function toFrames(answer: PrometheusResult, args: FrameArgs): Frame[] {
  const frames = seriesOf(answer).map(({ metric, samples }) =>
    frameOf(answer.resultType, metric, samples, args),
  );
  const [first = emptyFrame(args)] = frames;
  first.schema.meta.executedQueryString = args.executed;
  if (args.warnings.length > 0) {
    first.schema.meta.notices = args.warnings.map((text) => ({ severity: "warning", text }));
  }
  return [first, ...frames.slice(1)];
}

/** The name of a series, by the rules of a legend: empty for all labels, `__auto`, or text with `{{label}}`. */
export function displayName(
  labels: Labels,
  { expr, legendFormat }: Pick<FrameArgs, "expr" | "legendFormat">,
): string {
  if (legendFormat !== "" && legendFormat !== "__auto") {
    return legendFormat.replaceAll(/\{\{\s*(.+?)\s*\}\}/g, (_, label: string) => labels[label] ?? "");
  }
  // A page makes the name then, from the labels in which the series differ.
  if (legendFormat === "__auto" && Object.keys(labels).length > 0) return "";
  const { __name__: name = "", ...others } = labels;
  const words = Object.entries(others)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  const all = words.length === 0 && name !== "" ? name : `${name}{${words.join(", ")}}`;
  return all === "{}" ? expr : all;
}

function seriesOf(answer: PrometheusResult): { metric: Labels; samples: Sample[] }[] {
  switch (answer.resultType) {
    case "matrix":
      return answer.result.map(({ metric, values }) => ({ metric, samples: values }));
    case "vector":
      return answer.result.map(({ metric, value }) => ({ metric, samples: [value] }));
    default:
      return [{ metric: {}, samples: [answer.result] }];
  }
}

function frameOf(resultType: string, metric: Labels, samples: Sample[], args: FrameArgs): Frame {
  const name = displayName(metric, args);
  const isText = resultType === "string";
  const { values, entities } = isText
    ? { values: samples.map(([, text]) => text), entities: null }
    : numbers(samples);
  const time: Field = {
    name: "Time",
    type: "time",
    typeInfo: { frame: "time.Time" },
    config: { interval: args.step },
  };
  const value: Field = {
    // By Grafana's rules for data of this kind the field is called as the metric.
    name: metric.__name__ ?? "Value",
    type: isText ? "string" : "number",
    typeInfo: { frame: isText ? "string" : "float64" },
    labels: metric,
    ...(name === "" ? {} : { config: { displayNameFromDS: name } }),
  };
  const type = FRAME_TYPES[resultType];
  return {
    schema: {
      refId: args.refId,
      meta: { ...(type === undefined ? {} : { type }), typeVersion: [0, 1], custom: { resultType } },
      fields: [time, value],
    },
    data: {
      values: [samples.map(([seconds]) => Math.round(seconds * 1000)), values],
      ...(entities === null ? {} : { entities: [null, entities] }),
    },
  };
}

function emptyFrame({ refId }: FrameArgs): Frame {
  return { schema: { refId, meta: { typeVersion: [0, 0] }, fields: [] }, data: { values: [] } };
}

function numbers(samples: Sample[]): { values: (number | null)[]; entities: Entities | null } {
  const entities: Entities = {};
  const kinds: Record<string, keyof Entities> = { NaN: "NaN", "+Inf": "Inf", Inf: "Inf", "-Inf": "NegInf" };
  const values = samples.map(([, text], at) => {
    const kind = kinds[text];
    if (kind === undefined) return Number(text);
    (entities[kind] ??= []).push(at);
    return null;
  });
  return { values, entities: Object.keys(entities).length === 0 ? null : entities };
}
