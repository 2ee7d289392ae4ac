import { Hono } from "hono";
import type { Env } from "../core/auth.ts";
import type { DataSources } from "../core/data-sources.ts";
import type { Settings } from "../core/settings.ts";
import { VERSION, STAND_IN } from "../core/version.ts";

/** `GET /api/health`, which requires no authentication. */
export function health({ hideVersion }: Settings): Record<string, unknown> {
  const build = hideVersion ? {} : { version: VERSION, commit: "stand-in" };
  return { database: "ok", ...build, standIn: STAND_IN };
}

/** Routes with information about the server for pages and clients. */
export function serverApi(sources: DataSources, settings: Settings): Hono<Env> {
  const api = new Hono<Env>();

  api.get("/org", (c) => {
    const address = { address1: "", address2: "", city: "", zipCode: "", state: "", country: "" };
    return c.json({ id: 1, name: "Main Org.", address });
  });
  api.get("/frontend/settings", (c) => {
    const all = sources.list();
    const user = c.get("user");
    return c.json({
      appUrl: `${settings.rootUrl.replace(/\/$/, "")}/`,
      appSubUrl: "",
      buildInfo: {
        version: settings.hideVersion ? "" : VERSION,
        commit: "stand-in",
        edition: "Stand-in",
        env: "production",
        hideVersion: settings.hideVersion,
      },
      standIn: STAND_IN,
      anonymousEnabled: settings.anonymousRole !== undefined,
      defaultDatasource: all.find(({ isDefault }) => isDefault)?.name ?? "",
      datasources: Object.fromEntries(all.map((source) => [source.name, frontendOf(source)])),
      user: {
        isSignedIn: user.via !== "anonymous",
        login: user.login,
        name: user.name,
        orgRole: user.role,
        isGrafanaAdmin: user.isAdmin,
      },
    });
  });
  return api;
}

/** Returns a data source without its URL and credentials, for pages. */
function frontendOf(source: ReturnType<DataSources["list"]>[number]): Record<string, unknown> {
  const { id, uid, name, type, isDefault, jsonData } = source;
  const shown = Object.fromEntries(
    Object.entries(jsonData).filter(([key]) => !key.startsWith("httpHeaderName")),
  );
  return {
    id,
    uid,
    name,
    type,
    isDefault,
    jsonData: shown,
    access: "proxy",
    url: `/api/datasources/proxy/uid/${uid}`,
  };
}
