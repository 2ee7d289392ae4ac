import { Hono } from "hono";
import type { Env } from "../core/auth.ts";
import { needs } from "../core/auth.ts";
import { type DataSource, DataSourceCommand, type DataSources } from "../core/data-sources.ts";
import { ApiError } from "../core/errors.ts";
import { bodyOf } from "../core/request.ts";
import { upstreamFetch } from "../core/upstream.ts";

/** `/api/datasources`: data sources, by uid, id or name. */
export function dataSourceApi(sources: DataSources): Hono<Env> {
  const api = new Hono<Env>();
  const read = needs("Admin", "datasources:read");
  const write = needs("Admin", "datasources:write");
  const remove = needs("Admin", "datasources:delete");

  api.get("/", read, (c) => c.json(sources.list().map((source) => summaryOf(source))));
  api.post("/", needs("Admin", "datasources:create"), async (c) => {
    const source = sources.create(await bodyOf(c, DataSourceCommand));
    return c.json({
      datasource: viewOf(source),
      id: source.id,
      message: "Datasource added",
      name: source.name,
    });
  });
  api.get("/uid/:uid/health", needs("Viewer", "datasources:query"), async (c) => {
    const source = sources.get("uid", c.req.param("uid"));
    const found = await healthOf(source);
    return c.json(found, found.status === "OK" ? 200 : 400);
  });
  api.get("/id/:name", read, (c) => c.json({ id: sources.get("name", c.req.param("name")).id }));
  for (const [path, key] of [
    ["/uid/:key", "uid"],
    ["/name/:key", "name"],
    ["/:key{[0-9]+}", "id"],
  ] as const) {
    api.get(path, read, (c) => c.json(viewOf(sources.get(key, c.req.param("key")))));
    api.put(path, write, async (c) => {
      const { id } = sources.get(key, c.req.param("key"));
      const source = sources.update(id, await bodyOf(c, DataSourceCommand));
      return c.json({ datasource: viewOf(source), id, message: "Datasource updated", name: source.name });
    });
    api.delete(path, remove, (c) => {
      const { id } = sources.get(key, c.req.param("key"));
      sources.delete(id);
      return c.json({ id, message: "Data source deleted" });
    });
  }
  return api;
}

/** Returns a data source as in the API: with the names of its secrets, but not their values. */
export function viewOf({ secrets, ...source }: DataSource): Record<string, unknown> {
  const secureJsonFields = Object.fromEntries(Object.keys(secrets).map((name) => [name, true]));
  return { ...source, orgId: 1, typeLogoUrl: "", secureJsonFields, readOnly: false };
}

function summaryOf(source: DataSource): Record<string, unknown> {
  const summary = viewOf(source);
  delete summary.secureJsonFields;
  return { ...summary, typeName: source.type === "prometheus" ? "Prometheus" : source.type };
}

/** Checks whether a data source works, with a minimal request. */
async function healthOf(source: DataSource): Promise<{ status: string; message: string }> {
  const paths: Record<string, string> = {
    prometheus: "/api/v1/query?query=1%2B1&time=4",
    alertmanager: "/api/v2/status",
  };
  const path = paths[source.type];
  if (path === undefined) throw new ApiError(404, "Not found");
  try {
    const response = await upstreamFetch(source, path);
    await response.body?.cancel();
    if (response.ok) return { status: "OK", message: `Successfully queried the ${source.type} API.` };
    return { status: "ERROR", message: `${response.status} ${response.statusText}` };
  } catch (error) {
    return { status: "ERROR", message: error instanceof Error ? error.message : String(error) };
  }
}
