/** Prometheus's result of a query. */
export type PrometheusResult =
  | { resultType: "matrix"; result: { metric: Labels; values: Sample[] }[] }
  | { resultType: "vector"; result: { metric: Labels; value: Sample }[] }
  | { resultType: "scalar" | "string"; result: Sample };

type Labels = Record<string, string>;
/** Unix time in seconds, and the value as text. */
type Sample = [number, string];

/** A data frame in Grafana's JSON: schema and values of columns. */
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

/** Indexes of values that JSON can't represent. */
interface Entities {
  NaN?: number[];
  Inf?: number[];
  NegInf?: number[];
}

/** Arguments of toFrames. */
export interface FrameArgs {
  refId: string;
  /** The executed query. */
  expr: string;
  legendFormat: string;
  /** Step in ms. */
  step: number;
  /** Description of the executed query for users. */
  executed: string;
  warnings: string[];
}

const FRAME_TYPES: Record<string, string> = {
  matrix: "timeseries-multi",
  vector: "numeric-multi",
  scalar: "numeric-multi",
};

/**
 * Returns one frame per series, or one frame without fields if there are no series. Only the metadata of the first
 * frame contains the executed query and the warnings.
 */
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

/** Returns the name of a series. The legend format is empty (all labels), `__auto`, or a text with `{{label}}`. */
export function displayName(
  labels: Labels,
  { expr, legendFormat }: Pick<FrameArgs, "expr" | "legendFormat">,
): string {
  if (legendFormat !== "" && legendFormat !== "__auto") {
    return legendFormat.replaceAll(/\{\{\s*(.+?)\s*\}\}/g, (_, label: string) => labels[label] ?? "");
  }
  // If the name is empty, Grafana's page makes one from the labels in which the series differ.
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
    // In Grafana's frame types such as `timeseries-multi`, the value field has the metric's name.
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
