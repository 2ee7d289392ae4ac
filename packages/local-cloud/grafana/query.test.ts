import { describe, expect, test } from "vitest";
import { formatInterval, goDuration, parseDuration, parseTime } from "./prometheus/durations.ts";
import { displayName } from "./prometheus/frames.ts";
import { interpolate, stepOf } from "./prometheus/interval.ts";
import { openApi, upstream, type Call, type Received } from "./testing.ts";

const HOUR = 3600_000;
const DAY = 24 * HOUR;

describe("a step", () => {
  const args = {
    from: 0,
    to: 30 * DAY,
    interval: "",
    intervalMs: 1000,
    maxDataPoints: 1000,
    intervalFactor: 1,
    scrapeInterval: "10s",
  };

  // Expected steps in ms, calculated by hand from the rules in Grafana's documentation and @grafana/data's
  // table of round intervals.
  test.each([
    ["the span over the points, rounded", {}, 30 * 60_000],
    ["the minimum step when that is longer", { interval: "1h" }, HOUR],
    ["the page's interval when that is longer", { to: HOUR, intervalMs: 30_000 }, 30_000],
    ["the scrape interval without either", { to: HOUR, intervalMs: 0 }, 10_000],
    ["no shorter than Prometheus allows", { to: 5 * 365 * DAY, maxDataPoints: 1_000_000 }, 3 * HOUR],
    [
      "four scrapes with $__rate_interval",
      { to: HOUR, interval: "$__rate_interval", intervalMs: 1000 },
      40_000,
    ],
  ])("is %s", (_, more, expected) => {
    expect(stepOf({ ...args, ...more })).toBe(expected);
  });

  test("replaces variables in the query, like the range and the rate interval", () => {
    const text = (expr: string, more: object = {}) =>
      interpolate(expr, 90_000, { ...args, to: HOUR, intervalMs: 20_000, ...more });
    expect(text("a[$__interval] b[${__interval}] $__interval_ms")).toBe("a[1m] b[1m] 90000");
    expect(text("$__range $__range_s $__range_ms ${__range}")).toBe("3600s 3600 3600000 3600s");
    expect(text("$__rate_interval $__rate_interval_ms")).toBe("40s 40000");
    expect(text("$__rate_interval", { interval: "1m" })).toBe("4m0s");
    expect(text("$code_level")).toBe("$code_level");
  });
});

test("parses and formats durations and times like Grafana", () => {
  expect(["10s", "1h30m", ">2m", "30", "250ms", "1d"].map(parseDuration)).toEqual([
    10_000,
    90 * 60_000,
    120_000,
    30_000,
    250,
    DAY,
  ]);
  expect(() => parseDuration("soon")).toThrow('"soon"');
  expect([5_400_000, 15_000, 250, 0].map(goDuration)).toEqual(["1h30m0s", "15s", "250ms", "0s"]);
  expect([DAY, 90_000, 5].map(formatInterval)).toEqual(["1d", "1m", "5ms"]);
  expect(["5", "now", "now-1h", "now-1d+30m"].map((time) => parseTime(time, DAY))).toEqual([
    5,
    DAY,
    23 * HOUR,
    HOUR / 2,
  ]);
  expect(() => parseTime("yesterday", 0)).toThrow("yesterday");
});

test("names a series by its legend format", () => {
  const labels = { __name__: "up", job: "k8sfv", instance: "a" };
  const name = (legendFormat: string, its: Record<string, string> = labels) =>
    displayName(its, { expr: "sum(up)", legendFormat });
  expect(name("{{job}} on {{ instance }}{{none}}")).toBe("k8sfv on a");
  expect(name("")).toBe('up{instance="a", job="k8sfv"}');
  expect(name("", {})).toBe("sum(up)");
  expect(name("__auto")).toBe("");
});

describe("POST /api/ds/query", () => {
  const matrix = {
    resultType: "matrix",
    result: [
      {
        metric: { code_level: "master" },
        values: [
          [60, "1"],
          [120.5, "NaN"],
          [180, "+Inf"],
        ],
      },
    ],
  };

  test("returns one frame per series for a range query", async () => {
    const { call, received } = await prometheus(() => ({ body: { status: "success", data: matrix } }));
    const query = {
      refId: "A",
      datasource: { uid: "my-prom" },
      expr: "x[$__interval]",
      range: true,
      legendFormat: "{{code_level}}",
      interval: "1m",
      intervalMs: 1000,
      maxDataPoints: 100,
    };
    const { status, body } = await call("POST", "/api/ds/query", {
      body: { queries: [query], from: "61000", to: 660_000 },
    });
    expect(received.map(({ method, url }) => `${method} ${url}`)).toEqual(["POST /api/v1/query_range"]);
    expect(Object.fromEntries(new URLSearchParams(received[0]?.body))).toEqual({
      query: "x[1m]",
      start: "60",
      end: "660",
      step: "60",
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      results: {
        A: {
          status: 200,
          frames: [
            {
              schema: {
                refId: "A",
                meta: {
                  type: "timeseries-multi",
                  typeVersion: [0, 1],
                  custom: { resultType: "matrix" },
                  executedQueryString: "Expr: x[1m]\nStep: 1m0s",
                },
                fields: [
                  {
                    name: "Time",
                    type: "time",
                    typeInfo: { frame: "time.Time" },
                    config: { interval: 60_000 },
                  },
                  {
                    name: "Value",
                    type: "number",
                    typeInfo: { frame: "float64" },
                    labels: { code_level: "master" },
                    config: { displayNameFromDS: "master" },
                  },
                ],
              },
              data: {
                values: [
                  [60_000, 120_500, 180_000],
                  [1, null, null],
                ],
                entities: [null, { NaN: [1], Inf: [2] }],
              },
            },
          ],
        },
      },
    });
  });

  test("returns an instant at the end of the range, regardless of the step", async () => {
    const vector = { resultType: "vector", result: [{ metric: { __name__: "up" }, value: [99, "1"] }] };
    const { call, received } = await prometheus(() => ({ body: { status: "success", data: vector } }));
    const query = { datasource: { uid: "my-prom" }, expr: "up", instant: true, format: "table" };
    const { body } = await call("POST", "/api/ds/query", {
      body: { queries: [query], from: "0", to: "99999" },
    });
    expect(received[0]?.url).toBe("/api/v1/query");
    expect(new URLSearchParams(received[0]?.body).get("time")).toBe("99.999");
    expect(body).toMatchObject({
      results: {
        A: {
          frames: [
            {
              schema: { meta: { type: "numeric-multi" }, fields: [{}, { name: "up" }] },
              data: { values: [[99_000], [1]] },
            },
          ],
        },
      },
    });
  });

  test("returns a frame without fields if there is no series, and warnings", async () => {
    const empty = { status: "success", data: { resultType: "matrix", result: [] }, warnings: ["slow"] };
    const { call } = await prometheus(() => ({ body: empty }));
    const { body } = await ask(call, "none");
    expect(body).toMatchObject({
      results: {
        A: {
          frames: [
            {
              schema: { fields: [], meta: { notices: [{ severity: "warning", text: "slow" }] } },
              data: { values: [] },
            },
          ],
        },
      },
    });
  });

  test("returns each query's error with Prometheus's message, and the results of other queries", async () => {
    const error = { status: "error", errorType: "bad_data", error: "parse error" };
    const { call } = await prometheus(({ body }) =>
      body.includes("bad") ? { status: 400, body: error } : { body: { status: "success", data: matrix } },
    );
    const queries = ["bad", "good"].map((expr) => ({ refId: expr, datasource: { uid: "my-prom" }, expr }));
    const { status, body } = await call("POST", "/api/ds/query", { body: { queries, from: "0", to: "1" } });
    expect(status).toBe(400);
    expect(body).toHaveProperty("results.bad", {
      status: 400,
      error: "bad_data: parse error",
      errorSource: "downstream",
      frames: [],
    });
    expect(body).toHaveProperty("results.good.frames.length", 1);
  });

  test("reports if Prometheus doesn't respond, or if the data source or the query is missing", async () => {
    const { call } = openApi();
    await call("POST", "/api/datasources", {
      body: { name: "my-prom", uid: "my-prom", type: "prometheus", url: "http://127.0.0.1:1" },
    });
    expect((await ask(call, "up")).body).toMatchObject({
      results: {
        A: {
          status: 502,
          error: expect.stringContaining("http://127.0.0.1:1") as unknown,
        },
      },
    });
    expect((await call("GET", "/api/datasources/uid/my-prom/health")).status).toBe(400);
    const unknown = { queries: [{ datasource: { uid: "none" }, expr: "up" }] };
    expect((await call("POST", "/api/ds/query", { body: unknown })).status).toBe(404);
    expect((await call("POST", "/api/ds/query", { body: { queries: [] } })).status).toBe(400);
    expect(
      (
        await call("POST", "/api/ds/query", {
          body: { queries: [{ datasource: { uid: "my-prom" } }], from: "soon" },
        })
      ).status,
    ).toBe(400);
  });
});

describe("proxying to a data source", () => {
  test("forwards path, query and body with the data source's credentials and without the user's", async () => {
    const { call, received } = await prometheus(() => ({ body: { data: ["a/b"] } }), {
      basicAuth: true,
      basicAuthUser: "grafana",
      jsonData: { httpHeaderName1: "X-Scope" },
      secureJsonData: { basicAuthPassword: "hush", httpHeaderValue1: "k8sfv" },
    });
    const path = "/api/v1/label/test_name/values?match[]=up%7Ba%3D%22b%2Fc%22%7D";
    const answer = await call("GET", `/api/datasources/uid/my-prom/resources${path}`, {
      headers: { Cookie: "a=b" },
    });
    expect(answer.body).toEqual({ data: ["a/b"] });
    expect(answer.headers.get("X-Internal")).toBeNull();
    await call("GET", `/api/datasources/proxy/uid/my-prom${path}`);
    await call("GET", `/api/prometheus/my-prom/api/v1/rules?type=alert`);
    expect(received.map(({ url }) => url)).toEqual([path, path, "/api/v1/rules?type=alert"]);
    const [{ headers } = { headers: {} }] = received;
    expect(headers).toMatchObject({
      authorization: `Basic ${Buffer.from("grafana:hush").toString("base64")}`,
      "x-scope": "k8sfv",
    });
    expect(headers).not.toHaveProperty("cookie");
  });

  test("rejects requests that change Prometheus", async () => {
    const { call, received } = await prometheus(() => ({ body: {} }));
    expect((await call("POST", "/api/datasources/proxy/uid/my-prom/api/v1/query", { body: {} })).status).toBe(
      200,
    );
    for (const [method, path] of [
      ["POST", "/api/v1/admin/tsdb/delete_series"],
      ["PUT", "/-/reload"],
      ["DELETE", "/api/v1/series"],
      ["POST", "/-/quit"],
    ]) {
      for (const way of ["datasources/proxy/uid/my-prom", "datasources/uid/my-prom/resources"]) {
        expect((await call(method ?? "", `/api/${way}${path}`)).status, `${method} ${way}${path}`).toBe(403);
      }
    }
    expect(received).toHaveLength(1);
  });

  test("allows viewers to read from Alertmanager and editors to create silences", async () => {
    const { url, received } = await upstream(() => ({ body: [] }));
    const { call } = openApi({ GF_AUTH_ANONYMOUS_ENABLED: "true" });
    await call("POST", "/api/datasources", { body: { name: "am", uid: "am", type: "alertmanager", url } });
    const as = null;
    expect((await call("GET", "/api/alertmanager/am/api/v2/alerts?active=true", { as })).status).toBe(200);
    expect((await call("POST", "/api/alertmanager/am/api/v2/silences", { as, body: {} })).status).toBe(403);
    expect(
      (await call("POST", "/api/alertmanager/am/api/v2/silences", { body: { comment: "x" } })).status,
    ).toBe(200);
    expect((await call("DELETE", "/api/alertmanager/am/api/v2/silence/1")).status).toBe(200);
    expect(received.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "GET /api/v2/alerts?active=true",
      "POST /api/v2/silences",
      "DELETE /api/v2/silence/1",
    ]);
    expect((await call("GET", "/api/prometheus/am/api/v1/rules")).status).toBe(400);
  });
});

/** Starts a server whose data source `my-prom` responds as the test specifies. */
async function prometheus(
  answer: (request: Received) => { status?: number; body: unknown },
  more: object = {},
): Promise<{ call: Call; received: Received[] }> {
  const { url, received } = await upstream(answer);
  const { call } = openApi();
  await call("POST", "/api/datasources", {
    body: { name: "my-prom", uid: "my-prom", type: "prometheus", url, ...more },
  });
  return { call, received };
}

function ask(call: Call, expr: string) {
  return call("POST", "/api/ds/query", {
    body: { queries: [{ datasource: { uid: "my-prom" }, expr }], from: "0", to: "60000" },
  });
}
