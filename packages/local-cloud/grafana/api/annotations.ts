import { type Context, Hono } from "hono";
import { z } from "zod";
import { needs, type Env } from "../core/auth.ts";
import type { Database, Value } from "../core/database.ts";
import { ApiError } from "../core/errors.ts";
import { bodyOf, numberOf } from "../core/request.ts";

interface Row {
  id: number;
  dashboard_uid: string | null;
  panel_id: number;
  text: string;
  tags: string;
  time: number;
  time_end: number;
  user_id: number;
  created: number;
  updated: number;
  login: string | null;
  email: string | null;
}

const Create = z.object({
  text: z.string().default(""),
  tags: z
    .array(z.string())
    .nullish()
    .transform((value) => value ?? []),
  time: z.number().int().default(0),
  timeEnd: z.number().int().default(0),
  dashboardUID: z.string().default(""),
  panelId: z.number().int().default(0),
});
const Update = Create.pick({ text: true, tags: true, time: true, timeEnd: true });
/** Fields to change. */
const Patch = z.object({
  text: z.string().optional(),
  tags: z.array(z.string()).optional(),
  time: z.number().int().optional(),
  timeEnd: z.number().int().optional(),
});

/** `/api/annotations`: annotations of one dashboard or of all. */
export function annotationApi(db: Database): Hono<Env> {
  const api = new Hono<Env>();
  const read = needs("Viewer", "annotations:read");
  const write = needs("Editor", "annotations:write");

  api.get("/", read, (c) => c.json(find(db, c).map(viewOf)));
  api.post("/", needs("Editor", "annotations:create"), async (c) => {
    const { text, tags, time, timeEnd, dashboardUID, panelId } = await bodyOf(c, Create);
    if (text === "")
      throw new ApiError(400, "Failed to save annotation", { error: "text field should not be empty" });
    const now = Date.now();
    const start = time === 0 ? now : time;
    const { id } = db.run(
      `INSERT INTO annotation (dashboard_uid, panel_id, text, tags, time, time_end, user_id, created, updated)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        dashboardUID === "" ? null : existing(db, dashboardUID),
        panelId,
        text,
        JSON.stringify(tags),
        start,
        timeEnd === 0 ? start : timeEnd,
        c.get("user").id,
        now,
        now,
      ],
    );
    return c.json({ id, message: "Annotation added" });
  });
  api.get("/:id{[0-9]+}", read, (c) => c.json(viewOf(get(db, c.req.param("id")))));
  for (const method of ["PUT", "PATCH"]) {
    api.on(method, "/:id{[0-9]+}", write, async (c) => {
      const before = viewOf(get(db, c.req.param("id")));
      const change = await bodyOf(c, method === "PUT" ? Update : Patch);
      const after = { ...before, ...withoutUndefined(change) };
      db.run("UPDATE annotation SET text = ?, tags = ?, time = ?, time_end = ?, updated = ? WHERE id = ?", [
        after.text,
        JSON.stringify(after.tags),
        after.time === 0 ? before.time : after.time,
        after.timeEnd === 0 ? before.timeEnd : after.timeEnd,
        Date.now(),
        before.id,
      ]);
      return c.json({ message: method === "PUT" ? "Annotation updated" : "Annotation patched" });
    });
  }
  api.delete("/:id{[0-9]+}", needs("Editor", "annotations:delete"), (c) => {
    db.run("DELETE FROM annotation WHERE id = ?", [get(db, c.req.param("id")).id]);
    return c.json({ message: "Annotation deleted" });
  });
  return api;
}

const SELECT = `SELECT annotation.*, login, email FROM annotation LEFT JOIN user ON user.id = user_id`;

/** Returns the annotations that a request selects, newest first. */
function find(db: Database, c: Context): Row[] {
  const wheres: [string, Value][] = [];
  const from = numberOf(c, "from", 0);
  const to = numberOf(c, "to", 0);
  if (from > 0 && to > 0) wheres.push(["time <= ?", to], ["time_end >= ?", from]);
  const dashboard = c.req.query("dashboardUID") ?? "";
  if (dashboard !== "") wheres.push(["dashboard_uid = ?", dashboard]);
  const panel = numberOf(c, "panelId", 0);
  if (panel > 0) wheres.push(["panel_id = ?", panel]);
  const where = wheres.length === 0 ? "" : `WHERE ${wheres.map(([sql]) => sql).join(" AND ")}`;
  const values = wheres.map(([, value]) => value);
  const tags = c.req.queries("tags") ?? [];
  const hasTags = (row: Row) => {
    const its = JSON.parse(row.tags) as string[];
    const isIn = (tag: string) => its.includes(tag);
    return c.req.query("matchAny") === "true" ? tags.some(isIn) : tags.every(isIn);
  };
  return db
    .all<Row>(`${SELECT} ${where} ORDER BY time DESC, id DESC`, values)
    .filter((row) => tags.length === 0 || hasTags(row))
    .slice(0, numberOf(c, "limit", 100));
}

function get(db: Database, id: string): Row {
  const row = db.one<Row>(`${SELECT} WHERE annotation.id = ?`, [Number(id)]);
  if (row === undefined) throw new ApiError(404, "annotation not found");
  return row;
}

function existing(db: Database, dashboardUid: string): string {
  if (db.one("SELECT id FROM dashboard WHERE uid = ?", [dashboardUid]) === undefined) {
    throw new ApiError(400, "Dashboard not found");
  }
  return dashboardUid;
}

function viewOf(row: Row) {
  return {
    id: row.id,
    alertId: 0,
    alertName: "",
    dashboardUID: row.dashboard_uid,
    panelId: row.panel_id,
    userId: row.user_id,
    login: row.login ?? "",
    email: row.email ?? "",
    newState: "",
    prevState: "",
    created: row.created,
    updated: row.updated,
    time: row.time,
    timeEnd: row.time_end,
    text: row.text,
    tags: JSON.parse(row.tags) as string[],
    data: {},
  };
}

function withoutUndefined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Partial<T>;
}
