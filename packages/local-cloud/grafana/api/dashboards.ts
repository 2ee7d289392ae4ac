import { Hono } from "hono";
import { z } from "zod";
import { needs, type Env } from "../core/auth.ts";
import type { Dashboards, DashboardRow, VersionRow } from "../core/dashboards.ts";
import { dashboardUrl } from "../core/dashboards.ts";
import type { Database } from "../core/database.ts";
import { ApiError } from "../core/errors.ts";
import { bodyOf, numberOf, slugOf } from "../core/request.ts";
import { findFolder, folderUrl } from "../core/folders.ts";

const Save = z.object({
  dashboard: z.record(z.string(), z.unknown()),
  folderUid: z.string().default(""),
  overwrite: z.boolean().default(false),
  message: z.string().default(""),
});
const Restore = z.object({ version: z.number().int().positive() });

/** `/api/dashboards`. */
export function dashboardApi(db: Database, dashboards: Dashboards): Hono<Env> {
  const api = new Hono<Env>();
  const read = needs("Viewer", "dashboards:read");
  const write = needs("Editor", "dashboards:write");

  api.post("/db", needs("Editor", "dashboards:create"), async (c) => {
    const command = await bodyOf(c, Save);
    return c.json(savedOf(dashboards.save({ ...command, by: c.get("user").login })));
  });
  // Grafana's response if no home dashboard is configured.
  api.get("/home", read, (c) => c.json({ redirectUri: "/dashboards" }));
  api.get("/uid/:uid", read, (c) => {
    const row = dashboards.get(c.req.param("uid"));
    return c.json({ meta: metaOf(db, row, c.get("user").role), dashboard: JSON.parse(row.body) as unknown });
  });
  api.delete("/uid/:uid", needs("Editor", "dashboards:delete"), (c) => {
    const { id, uid, title } = dashboards.delete(c.req.param("uid"));
    return c.json({ id, uid, title, message: `Dashboard ${title} deleted` });
  });
  api.get("/uid/:uid/versions", write, (c) => {
    const { id, uid } = dashboards.get(c.req.param("uid"));
    const found = dashboards.versions(id, numberOf(c, "limit", 1000), numberOf(c, "start", 0));
    return c.json({ continueToken: "", versions: found.map((row) => versionOf(uid, row)) });
  });
  api.get("/uid/:uid/versions/:version{[0-9]+}", write, (c) => {
    const { id, uid } = dashboards.get(c.req.param("uid"));
    const row = dashboards.version(id, Number(c.req.param("version")));
    return c.json({ ...versionOf(uid, row), data: JSON.parse(row.body) as unknown });
  });
  api.post("/uid/:uid/restore", write, async (c) => {
    const { version } = await bodyOf(c, Restore);
    const current = dashboards.get(c.req.param("uid"));
    if (version === current.version)
      throw new ApiError(400, "Current dashboard is identical to the specified version");
    const restored = dashboards.save({
      dashboard: { ...(JSON.parse(dashboards.version(current.id, version).body) as object), id: current.id },
      folderUid: current.folder_uid ?? "",
      overwrite: true,
      message: `Restored from version ${version}`,
      by: c.get("user").login,
      restoredFrom: version,
    });
    return c.json(savedOf(restored));
  });
  return api;
}

function savedOf(row: DashboardRow): Record<string, unknown> {
  return {
    id: row.id,
    uid: row.uid,
    url: dashboardUrl(row),
    slug: slugOf(row.title),
    status: "success",
    version: row.version,
    folderUid: row.folder_uid ?? "",
  };
}

function versionOf(uid: string, row: VersionRow): Record<string, unknown> {
  return {
    id: row.id,
    dashboardId: row.dashboard_id,
    dashboardUid: uid,
    uid,
    parentVersion: row.parent_version,
    restoredFrom: row.restored_from,
    version: row.version,
    created: row.created,
    createdBy: row.created_by,
    message: row.message,
  };
}

function metaOf(db: Database, row: DashboardRow, role: string): Record<string, unknown> {
  const folder = row.folder_uid === null ? undefined : findFolder(db, row.folder_uid);
  const canSave = role !== "Viewer";
  const annotations = { canAdd: canSave, canEdit: canSave, canDelete: canSave };
  return {
    type: "db",
    canSave,
    canEdit: canSave,
    canAdmin: canSave,
    canStar: false,
    canDelete: canSave,
    slug: slugOf(row.title),
    url: dashboardUrl(row),
    expires: "0001-01-01T00:00:00Z",
    created: row.created,
    updated: row.updated,
    updatedBy: row.updated_by,
    createdBy: row.created_by,
    version: row.version,
    hasAcl: false,
    isFolder: false,
    folderId: folder?.id ?? 0,
    folderUid: folder?.uid ?? "",
    folderTitle: folder?.title ?? "Dashboards",
    folderUrl: folder === undefined ? "" : folderUrl(folder),
    provisioned: false,
    provisionedExternalId: "",
    annotationsPermissions: { dashboard: annotations, organization: annotations },
  };
}
