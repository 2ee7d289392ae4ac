import { type Context, Hono } from "hono";
import { forbidden, needs, type Env } from "../core/auth.ts";
import type { DataSource, DataSources } from "../core/data-sources.ts";
import { ApiError } from "../core/errors.ts";
import { ROLES } from "../core/settings.ts";
import { upstreamFetch } from "../core/upstream.ts";

/** Request headers that are forwarded. They don't include cookies and credentials, which are for this server. */
const REQUEST_HEADERS = ["accept", "content-type"];
const RESPONSE_HEADERS = ["content-type", "cache-control", "retry-after"];

/**
 * Paths of Prometheus's API that accept queries by POST. Other POST requests and all PUT and DELETE requests are
 * rejected.
 */
const PROMETHEUS_POSTS = /^\/api\/v1\/(query|query_range|series|labels|query_exemplars|format_query)$/;

/** Routes that forward requests to data sources. */
export function proxyApi(sources: DataSources): Hono<Env> {
  const api = new Hono<Env>();
  const query = needs("Viewer", "datasources:query");

  api.all("/datasources/proxy/uid/:uid/*", query, (c) => {
    const source = sources.get("uid", c.req.param("uid"));
    return forward(c, source, restOf(c, `/api/datasources/proxy/uid/${c.req.param("uid")}`));
  });
  api.all("/datasources/proxy/:id{[0-9]+}/*", query, (c) => {
    const source = sources.get("id", c.req.param("id"));
    return forward(c, source, restOf(c, `/api/datasources/proxy/${c.req.param("id")}`));
  });
  api.all("/datasources/uid/:uid/resources/*", query, (c) => {
    const source = sources.get("uid", c.req.param("uid"));
    return forward(c, source, restOf(c, `/api/datasources/uid/${c.req.param("uid")}/resources`));
  });
  api.all("/alertmanager/:uid/api/v2/*", needs("Viewer", "alert.instances.external:read"), (c) => {
    const source = ofType(sources, c.req.param("uid"), "alertmanager");
    return forward(c, source, restOf(c, `/api/alertmanager/${c.req.param("uid")}`));
  });
  api.get(
    "/prometheus/:uid/api/v1/:what{rules|alerts}",
    needs("Viewer", "alert.rules.external:read"),
    (c) => {
      const source = ofType(sources, c.req.param("uid"), "prometheus");
      return forward(c, source, restOf(c, `/api/prometheus/${c.req.param("uid")}`));
    },
  );
  return api;
}

function ofType(sources: DataSources, uid: string, type: string): DataSource {
  const source = sources.get("uid", uid);
  if (source.type !== type) throw new ApiError(400, `unexpected datasource type. expecting ${type}`);
  return source;
}

/** Returns the part of the URL after the prefix, as it was sent: with its escapes and query string. */
function restOf(c: Context, prefix: string): string {
  const { pathname, search } = new URL(c.req.url);
  return `${pathname.slice(prefix.length)}${search}`;
}

/** Forwards a request and streams the response. @throws ApiError 403 if the user may not send this request */
async function forward(c: Context<Env>, source: DataSource, path: string): Promise<Response> {
  const { method } = c.req;
  checkAllowed(c, source, path.split("?")[0] ?? "");
  const body = method === "GET" || method === "HEAD" ? undefined : await c.req.arrayBuffer();
  const headers = pick(c.req.raw.headers, REQUEST_HEADERS);
  const response = await upstreamFetch(source, path, { method, headers, body });
  return new Response(response.body, {
    status: response.status,
    headers: pick(response.headers, RESPONSE_HEADERS),
  });
}

function checkAllowed(c: Context<Env>, { type }: DataSource, path: string): void {
  const { method } = c.req;
  if (method === "GET" || method === "HEAD") return;
  if (type === "prometheus" && !(method === "POST" && PROMETHEUS_POSTS.test(path))) {
    throw new ApiError(403, `non allow-listed ${method}s not allowed on proxied Prometheus datasource`);
  }
  const isEditor = ROLES.indexOf(c.get("user").role) >= ROLES.indexOf("Editor");
  if (type === "alertmanager" && !isEditor) throw forbidden("alert.instances.external:write");
}

function pick(headers: Headers, names: string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
}
