import { describe, expect, test } from "vitest";
import { openApi, openWithPrometheus, type Call } from "./testing.ts";

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
    const { call, received } = await openWithPrometheus(() => ({
      body: { status: "success", data: matrix },
    }));
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

  test("runs an instant query at the end of the range, regardless of the step", async () => {
    const vector = { resultType: "vector", result: [{ metric: { __name__: "up" }, value: [99, "1"] }] };
    const { call, received } = await openWithPrometheus(() => ({
      body: { status: "success", data: vector },
    }));
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

  test("returns Prometheus's warnings, and a frame without fields if there is no series", async () => {
    const empty = { status: "success", data: { resultType: "matrix", result: [] }, warnings: ["slow"] };
    const { call } = await openWithPrometheus(() => ({ body: empty }));
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
    const { call } = await openWithPrometheus(({ body }) =>
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

function ask(call: Call, expr: string) {
  return call("POST", "/api/ds/query", {
    body: { queries: [{ datasource: { uid: "my-prom" }, expr }], from: "0", to: "60000" },
  });
}
