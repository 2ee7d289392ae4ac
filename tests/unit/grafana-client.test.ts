import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { queryGrafana, requestGrafana } from "../../lib/grafana.ts";
import { DAY_MS, defaultRange, queryPanel } from "../../lib/panels.ts";
import { ask } from "../../lib/prometheus.ts";

/** Serves responses by path, and records the requests' bodies and passwords. */
async function serve(responses: Record<string, [status: number, body: unknown]>) {
  const requests: { authorization?: string; body: unknown }[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const { authorization } = request.headers;
      requests.push({ authorization, body: text === "" ? undefined : (JSON.parse(text) as unknown) });
      const [status, body] = responses[request.url ?? ""] ?? [404, "no such path"];
      response.writeHead(status).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

const outputs = { GRAFANA_USER: "admin", GRAFANA_PASSWORD: "hush" };
const results = (result: object) => ({
  "/api/ds/query": [200, { results: { A: result } }] as [number, object],
});
const source = { "/api/datasources/name/my-prom": [200, { uid: "my-prom" }] as [number, object] };

test("queries Grafana as its administrator, and returns the values", async () => {
  const { url, requests } = await serve({
    ...source,
    ...results({ frames: [{ data: { values: [[1], [7]] } }] }),
  });
  expect(await queryGrafana(url, outputs, "up")).toEqual([7]);
  expect(requests[1]?.authorization).toBe(`Basic ${Buffer.from("admin:hush").toString("base64")}`);
  expect(requests[1]?.body).toMatchObject({ queries: [{ expr: "up", instant: true }] });
});

test("reports errors of Grafana, of its data source and of Prometheus, instead of returning no values", async () => {
  const { url } = await serve({
    ...source,
    ...results({ error: "connection refused" }),
    "/broken": [502, "down"],
  });
  await expect(queryGrafana(url, outputs, "up")).rejects.toThrow("data source returned: connection refused");
  await expect(requestGrafana({ url, outputs }, "/broken")).rejects.toThrow(
    'Grafana returned 502 for /broken: "down"',
  );
  await expect(ask(url, "/query?query=up")).rejects.toThrow("/query?query=up: 404");
});

test("queries a panel with the values of its variables as Grafana's page inserts them", async () => {
  const frame = {
    schema: { meta: { executedQueryString: "Expr: up\nStep: 1h30m10s" }, fields: [{ name: "Time" }] },
    data: { values: [[1]] },
  };
  const { url, requests } = await serve(results({ frames: [frame] }));
  const expr = 'a{level=~"${level:regex}", test=~"${test:regex}", name="${name:raw}"}';
  const panel = { id: 1, title: "Panel", type: "timeseries", targets: [{ refId: "A", expr }] };
  const variables = { level: ".+", test: "a (b)", name: "a.b" };
  const frames = await queryPanel({ url, outputs }, panel, variables, { from: 0, to: DAY_MS });
  expect(frames).toMatchObject([{ step: (90 * 60 + 10) * 1000 }]);
  // The value of "All" is already a regular expression, so it is not escaped.
  const inserted = 'a{level=~".+", test=~"a \\(b\\)", name="a.b"}';
  expect(requests[0]?.body).toMatchObject({ queries: [{ expr: inserted, intervalMs: 87_000 }] });
});

test.each([
  ["now-30d", 30 * DAY_MS],
  ["now-6h", DAY_MS / 4],
])("a dashboard's default range %s has the right length", (from, length) => {
  const now = 1e12;
  expect(defaultRange({ time: { from }, templating: {} }, now)).toEqual({ from: now - length, to: now });
  expect(() => defaultRange({ time: { from: "now/d" }, templating: {} })).toThrow("now/d");
});
