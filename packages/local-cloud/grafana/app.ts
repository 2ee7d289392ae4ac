import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { z } from "zod";
import { Accounts } from "./core/accounts.ts";
import { annotationApi } from "./api/annotations.ts";
import { dashboardApi } from "./api/dashboards.ts";
import { dataSourceApi } from "./api/data-sources.ts";
import { folderApi } from "./api/folders.ts";
import { proxyApi } from "./api/proxy.ts";
import { queryApi } from "./api/query.ts";
import { searchApi } from "./api/search.ts";
import { health, serverApi } from "./api/server.ts";
import { userApi } from "./api/users.ts";
import { authenticate, logIn, logOut, type Env } from "./core/auth.ts";
import { Dashboards } from "./core/dashboards.ts";
import { DataSources } from "./core/data-sources.ts";
import type { Database } from "./core/database.ts";
import { ApiError } from "./core/errors.ts";
import { log } from "./log.ts";
import { Metrics } from "./metrics.ts";
import { pages } from "./pages.ts";
import { bodyOf } from "./core/request.ts";
import type { Settings } from "./core/settings.ts";

const Login = z.object({ user: z.string(), password: z.string() });

/** Returns the routes of the HTTP server. */
export function createApp(db: Database, settings: Settings): Hono<Env> {
  const accounts = new Accounts(db, settings);
  accounts.createAdmin(settings.admin);
  const metrics = new Metrics();
  const app = new Hono<Env>();

  app.use(metrics.middleware());
  app.use(secureHeaders({ xFrameOptions: "DENY", strictTransportSecurity: settings.cookie.secure }));
  app.get("/metrics", async (c) => c.text(await metrics.registry.metrics()));
  app.get("/api/health", (c) => c.json(health(settings)));
  app.get("/healthz", (c) => c.text("Ok"));
  app.post("/login", async (c) => {
    const { user, password } = await bodyOf(c, Login);
    logIn(c, accounts, settings, user, password);
    return c.json({ message: "Logged in", redirectUrl: "/" });
  });
  app.get("/logout", (c) => {
    logOut(c, accounts);
    return c.redirect("/login");
  });
  app.use("/api/*", authenticate(accounts, settings));
  app.get("/api/login/ping", (c) => c.json({ message: "Logged in" }));
  app.route("/api", serverApi(new DataSources(db), settings));
  app.route("/api", userApi(accounts));
  app.route("/api", proxyApi(new DataSources(db)));
  app.route("/api/datasources", dataSourceApi(new DataSources(db)));
  app.route("/api/ds/query", queryApi(new DataSources(db)));
  app.route("/api/folders", folderApi(db));
  app.route("/api/dashboards", dashboardApi(db, new Dashboards(db)));
  app.route("/api/search", searchApi(db));
  app.route("/api/annotations", annotationApi(db));
  app.route("/", pages(settings.staticRoot));

  app.notFound((c) => c.json({ message: "Not found" }, 404));
  app.onError((error, c) => {
    if (error instanceof ApiError) return c.json(error.body, error.status);
    log("error", "request failed", {
      method: c.req.method,
      path: c.req.path,
      error: error.stack ?? error.message,
    });
    return c.json({ message: "Internal server error" }, 500);
  });
  return app;
}
