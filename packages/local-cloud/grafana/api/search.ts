import { Hono } from "hono";
import { needs, type Env } from "../core/auth.ts";
import { dashboardUrl, type DashboardRow } from "../core/dashboards.ts";
import type { Database } from "../core/database.ts";
import { numberOf, slugOf } from "../core/request.ts";
import { folderUrl, type Folder } from "../core/folders.ts";

/** A search result. */
interface Hit {
  id: number;
  uid: string;
  title: string;
  url: string;
  type: "dash-db" | "dash-folder";
  tags: string[];
  folder: Folder | undefined;
}

/** `GET /api/search`: searches folders and dashboards by title, tag, type and folder. */
export function searchApi(db: Database): Hono<Env> {
  const api = new Hono<Env>();
  api.get("/", needs("Viewer", "dashboards:read"), (c) => {
    const all = (name: string) => c.req.queries(name) ?? [];
    const query = (c.req.query("query") ?? "").toLowerCase();
    const [type] = all("type");
    const folders = all("folderUIDs").flatMap((uids) => uids.split(","));
    const dashboards = all("dashboardUIDs").flatMap((uids) => uids.split(","));
    const found = hitsOf(db).filter(
      (hit) =>
        hit.title.toLowerCase().includes(query) &&
        (type === undefined || hit.type === type) &&
        all("tag").every((tag) => hit.tags.includes(tag)) &&
        (folders.length === 0 || folders.includes(hit.folder?.uid ?? "general")) &&
        (dashboards.length === 0 || (hit.type === "dash-db" && dashboards.includes(hit.uid))) &&
        all("starred")[0] !== "true",
    );
    const limit = numberOf(c, "limit", 1000);
    const first = (Math.max(1, numberOf(c, "page", 1)) - 1) * limit;
    return c.json(found.slice(first, first + limit).map(viewOf));
  });
  return api;
}

/** Returns all folders by title, then all dashboards by title. */
function hitsOf(db: Database): Hit[] {
  const folders = db.all<Folder>("SELECT * FROM folder ORDER BY title");
  const inFolder = new Map(folders.map((folder) => [folder.uid, folder]));
  const dashboards = db.all<DashboardRow>("SELECT * FROM dashboard ORDER BY title");
  return [
    ...folders.map((folder) => ({
      ...folder,
      url: folderUrl(folder),
      type: "dash-folder" as const,
      tags: [],
      folder: inFolder.get(folder.parent_uid ?? ""),
    })),
    ...dashboards.map((row) => ({
      ...row,
      url: dashboardUrl(row),
      type: "dash-db" as const,
      tags: (JSON.parse(row.body) as { tags?: string[] }).tags ?? [],
      folder: inFolder.get(row.folder_uid ?? ""),
    })),
  ];
}

function viewOf({ id, uid, title, url, type, tags, folder }: Hit): Record<string, unknown> {
  const parent =
    folder === undefined
      ? {}
      : {
          folderId: folder.id,
          folderUid: folder.uid,
          folderTitle: folder.title,
          folderUrl: folderUrl(folder),
        };
  const hit = { id, orgId: 1, uid, title, uri: `db/${slugOf(title)}`, url, slug: "", type, tags };
  return { ...hit, isStarred: false, sortMeta: 0, isDeleted: false, ...parent };
}
