import type { DataFrame, Field } from "@grafana/data";
import { FieldType, sortDataFrame } from "@grafana/data";

interface Formatted {
  refId: string;
  format?: string;
}

/**
 * Converts the frames of each query with format "table" to one table, like Grafana's Prometheus data source: the
 * columns are Time, each label in alphabetical order, and the value. The value's column is called "Value", and
 * "Value #A" (with the query's letter) when several queries have this format.
 *
 * @param frames the server's response: one frame for each series
 */
export function tablesPerQuery(frames: DataFrame[], queries: Formatted[]): DataFrame[] {
  const tables = queries.filter(({ format }) => format === "table").map(({ refId }) => refId);
  const asTables = tables.map((refId) => {
    const own = frames.filter((frame) => frame.refId === refId && frame.fields.length > 0);
    return table(own, refId, tables.length > 1 ? `Value #${refId}` : "Value");
  });
  const others = frames.filter(({ refId }) => refId === undefined || !tables.includes(refId));
  return [...others, ...asTables];
}

function table(frames: DataFrame[], refId: string, valueName: string): DataFrame {
  const series = frames.map(({ fields }) => ({
    times: fields.find(({ type }) => type === FieldType.time)?.values ?? [],
    value: fields.find(({ type }) => type !== FieldType.time),
  }));
  const labels = [...new Set(series.flatMap(({ value }) => Object.keys(value?.labels ?? {})))].sort();
  const rows = series.flatMap(({ times, value }) =>
    times.map((time: number, row: number) => ({
      time,
      labels: value?.labels ?? {},
      value: value?.values[row],
    })),
  );
  const fields: Field[] = [
    column(
      "Time",
      FieldType.time,
      rows.map(({ time }) => time),
    ),
    ...labels.map((label) =>
      column(
        label,
        FieldType.string,
        rows.map((row) => row.labels[label] ?? ""),
        { filterable: true },
      ),
    ),
    column(
      valueName,
      FieldType.number,
      rows.map(({ value }): unknown => value),
    ),
  ];
  return sortDataFrame({ refId, fields, length: rows.length, meta: frames[0]?.meta }, 0);
}

function column(name: string, type: FieldType, values: unknown[], config = {}): Field {
  return { name, type, values, config };
}
