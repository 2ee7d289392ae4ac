import { gzipSync } from "node:zlib";
import fc from "fast-check";

/** A push request. */
export interface FuzzPush {
  method: "PUT" | "POST";
  path: string;
  headers: Record<string, string>;
  body: Buffer;
}

const PROTOBUF =
  "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

/** Names and values with characters that URLs, HTTP or the text format treat specially. */
const ODD_TEXTS = ["", " ", "a b", "é", "a\nb", 'a"b', "a\\b", "\u0000", "..", "a/b", "=", "🎉", "%", "a{b"];
const odd = fc.oneof(fc.constantFrom(...ODD_TEXTS), fc.string({ maxLength: 5 }));
const labelName = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("branch", "instance", "zone") },
  fc.constantFrom("job", "le", "quantile", "__x", "a-b", "branch@base64", "instance@base64", "é"),
);
const metricName = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom("a_metric", "b_metric", "a_metric_count", "a_metric_bucket", "go_goroutines"),
  },
  fc.constantFrom("push_time_seconds", "push_failure_time_seconds", "a.b", "labels", "", "0a", "a:b", "zzz"),
);
/** A segment of the request's path: plain, percent-encoded, or malformed. */
const segment = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("k8sfv", "master", "x") },
  odd.map((text) => encodeURIComponent(text)),
  fc.constantFrom("", "%FC", "%2F", "%2e%2e", ".", "..", "=", "bWFzdGVy", "_A", "%00", "a+b", "a;b", "a,b"),
);

const path = fc
  .record({
    start: fc.oneof(
      { weight: 5, arbitrary: fc.constant("/metrics/job/fuzz") },
      fc.constantFrom("//metrics/job/fuzz", "/metrics/job@base64/ZnV6eg", "/metrics/job", "/metrics/job/"),
    ),
    labels: fc.array(fc.tuple(labelName.map(encodeURIComponent), segment), { maxLength: 3 }),
    end: fc.oneof({ weight: 8, arbitrary: fc.constant("") }, fc.constantFrom("/", "//", "?a=b", "/odd")),
  })
  .map(({ start, labels, end }) => [start, ...labels.flat()].join("/").replaceAll("%40", "@") + end);

const value = fc.oneof(
  fc.double().map(String),
  fc.constantFrom(
    "NaN",
    "+Inf",
    "-Inf",
    "1e400",
    "0x1p3",
    "1_000",
    "1",
    "0",
    "",
    "one",
    "1 1700000000000",
    "1 ",
  ),
);
const labelText = fc
  .array(fc.tuple(labelName, odd), { maxLength: 3 })
  .map((labels) =>
    labels
      .map(([name, text]) => `${name}="${text.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`)
      .join(","),
  );
const sample = fc
  .tuple(
    fc.oneof(
      metricName,
      metricName.map((name) => `${name}_bucket`),
    ),
    labelText,
    value,
  )
  .map(([name, labels, number]) => (labels === "" ? `${name} ${number}` : `${name}{${labels}} ${number}`));
const type = fc.constantFrom(
  "counter",
  "gauge",
  "untyped",
  "histogram",
  "summary",
  "gaugehistogram",
  "info",
  "unknown",
);
const textLine = fc.oneof(
  { weight: 4, arbitrary: sample },
  fc.tuple(metricName, type).map(([name, of]) => `# TYPE ${name} ${of}`),
  fc.tuple(metricName, odd).map(([name, help]) => `# HELP ${name} ${help}`),
  fc.constantFrom(
    "# EOF",
    "# comment",
    "",
    "{a_metric} 1",
    '{"a.b"} 1',
    '{"a_metric","branch"="x"} 1',
    "a_metric{",
    "\r",
  ),
);
const textBody = fc
  .tuple(fc.array(textLine, { maxLength: 8 }), fc.constantFrom("\n", "\n", "\n", "\r\n"), fc.boolean())
  .map(([lines, end, isEnded]) => Buffer.from(lines.join(end) + (isEnded ? end : "")));

/** Encodes a protobuf field: a varint, or bytes with their length. */
function field(number: number, content: number | Buffer | string): Buffer {
  if (typeof content === "number") return Buffer.concat([varint(number << 3), varint(content)]);
  const bytes = Buffer.from(content as Buffer);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

function varint(of: number): Buffer {
  const bytes = [];
  for (let rest = of; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest < 128 ? rest : (rest % 128) | 128);
    if (rest < 128) return Buffer.from(bytes);
  }
}

function double(number: number, of: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(of);
  return Buffer.concat([varint((number << 3) | 1), bytes]);
}

const bound = fc.oneof(fc.constantFrom(0.5, 1, 2, Infinity, NaN), fc.double());
const pair = (one: number, other: number) =>
  fc.tuple(bound, bound).map(([a, b]) => Buffer.concat([double(one, a), double(other, b)]));
/**
 * Generates a field of the message `Metric` in prometheus/client_model: the value for a metric type, a native
 * histogram, or the timestamp.
 */
const metricValue = fc.oneof(
  bound.map((of) => field(2, double(1, of))),
  bound.map((of) => field(3, double(1, of))),
  bound.map((of) => field(5, double(1, of))),
  fc
    .array(pair(1, 2), { maxLength: 3 })
    .map((quantiles) =>
      field(4, Buffer.concat([field(1, 3), double(2, 1), ...quantiles.map((of) => field(3, of))])),
    ),
  fc
    .array(fc.tuple(fc.nat(9), bound), { maxLength: 3 })
    .map((buckets) =>
      field(
        7,
        Buffer.concat([
          field(1, 3),
          double(2, 1),
          ...buckets.map(([count, upper]) => field(3, Buffer.concat([field(1, count), double(2, upper)]))),
        ]),
      ),
    ),
  // A native histogram with its schema and with the width and count of its zero bucket.
  fc
    .nat(9)
    .map((count) =>
      field(7, Buffer.concat([field(1, count), double(2, 1), field(5, 2), double(6, 0.1), field(7, count)])),
    ),
  fc.nat().map((time) => field(6, time)),
);
const bytes = fc.oneof(
  odd.map((text) => Buffer.from(text)),
  fc.constant(Buffer.from("caf\xe9", "latin1")),
);
const protobufMetric = fc
  .tuple(fc.array(fc.tuple(labelName, bytes), { maxLength: 3 }), fc.array(metricValue, { maxLength: 2 }))
  .map(([labels, values]) =>
    Buffer.concat([
      ...labels.map(([name, of]) => field(1, Buffer.concat([field(1, name), field(2, of)]))),
      ...values,
    ]),
  );
const family = fc
  .record({
    name: metricName,
    help: fc.option(bytes),
    type: fc.option(fc.nat(7)),
    metrics: fc.array(protobufMetric, { maxLength: 3 }),
  })
  .map(({ name, help, type: of, metrics }) => {
    const message = Buffer.concat([
      field(1, name),
      ...(help === null ? [] : [field(2, help)]),
      ...(of === null ? [] : [field(3, of)]),
      ...metrics.map((metric) => field(4, metric)),
    ]);
    return Buffer.concat([varint(message.length), message]);
  });
const protobufBody = fc.array(family, { maxLength: 3 }).map((families) => Buffer.concat(families));

/** Changes or truncates a body. */
const mutated = (of: fc.Arbitrary<Buffer>) =>
  fc
    .tuple(of, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }), fc.boolean())
    .map(([body, changes, isCut]) => {
      const changed = Buffer.from(body);
      for (const [at, byte] of changes) if (changed.length > 0) changed[at % changed.length] = byte;
      return isCut ? changed.subarray(0, changed.length >> 1) : changed;
    });

const typed: fc.Arbitrary<[string, Buffer]> = fc.oneof(
  fc.tuple(
    fc.constantFrom("text/plain; version=0.0.4", "text/plain", "", "x"),
    fc.oneof({ weight: 3, arbitrary: textBody }, mutated(textBody)),
  ),
  fc.tuple(fc.constant("application/openmetrics-text; version=1.0.0"), textBody),
  fc.tuple(
    fc.constant(PROTOBUF),
    fc.oneof(
      { weight: 3, arbitrary: protobufBody },
      mutated(protobufBody),
      fc.uint8Array().map((of) => Buffer.from(of)),
    ),
  ),
);
const encoding = fc.oneof(
  { weight: 6, arbitrary: fc.constant(undefined) },
  fc.constantFrom("gzip", "GZIP", "identity", "", "deflate", "snappy", "gzip-broken"),
);

export const fuzzPush: fc.Arbitrary<FuzzPush> = fc
  .record({ method: fc.constantFrom("PUT", "POST"), path, typed, encoding })
  .map(({ method, path: to, typed: [contentType, body], encoding: coded }) => ({
    method,
    path: to,
    headers: {
      "Content-Type": contentType,
      ...(coded === undefined ? {} : { "Content-Encoding": coded.replace("-broken", "") }),
    },
    body: coded?.toLowerCase() === "gzip" ? gzipSync(body) : body,
  }));
