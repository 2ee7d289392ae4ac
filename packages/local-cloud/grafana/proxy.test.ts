import { describe, expect, test } from "vitest";
import { openApi, openWithPrometheus, upstream } from "./testing.ts";

describe("proxying to a data source", () => {
  test("forwards path and query with the data source's credentials and without the user's", async () => {
    const { call, received } = await openWithPrometheus(() => ({ body: { data: ["a/b"] } }), {
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
    const { call, received } = await openWithPrometheus(() => ({ body: {} }));
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
