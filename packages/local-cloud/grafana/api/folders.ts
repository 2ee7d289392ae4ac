import { Hono } from "hono";
import { z } from "zod";
import { needs, type Env } from "../core/auth.ts";
import type { Database } from "../core/database.ts";
import { ApiError } from "../core/errors.ts";
import { findFolder, folderUrl, type Folder } from "../core/folders.ts";
import { bodyOf, numberOf, timestamp } from "../core/request.ts";
import { checkUid, newUid } from "../core/uid.ts";

const Create = z.object({
  title: z.string().default(""),
  uid: z.string().default(""),
  parentUid: z.string().default(""),
});
const Update = z.object({
  title: z.string().default(""),
  version: z.number().int().default(0),
  overwrite: z.boolean().default(false),
});
const Move = z.object({ parentUid: z.string().default("") });

/** `/api/folders`. */
export function folderApi(db: Database): Hono<Env> {
  const api = new Hono<Env>();

  api.get("/", needs("Viewer", "folders:read"), (c) => {
    const limit = numberOf(c, "limit", 1000);
    const first = (Math.max(1, numberOf(c, "page", 1)) - 1) * limit;
    const parent = c.req.query("parentUid") ?? "";
    const folders = db.all<Folder>(
      "SELECT * FROM folder WHERE coalesce(parent_uid, '') = ? ORDER BY title LIMIT ? OFFSET ?",
      [parent, limit, first],
    );
    return c.json(
      folders.map(({ id, uid, title, parent_uid }) => ({ id, uid, title, ...parentOf(parent_uid) })),
    );
  });
  api.post("/", needs("Editor", "folders:create"), async (c) => {
    const command = await bodyOf(c, Create);
    return c.json(viewOf(create(db, command, c.get("user").login), c.get("user").role));
  });
  api.get("/:uid", needs("Viewer", "folders:read"), (c) =>
    c.json(viewOf(findFolder(db, c.req.param("uid")), c.get("user").role)),
  );
  api.put("/:uid", needs("Editor", "folders:write"), async (c) => {
    const command = await bodyOf(c, Update);
    return c.json(viewOf(update(db, c.req.param("uid"), command, c.get("user").login), c.get("user").role));
  });
  api.post("/:uid/move", needs("Editor", "folders:write"), async (c) => {
    const { parentUid } = await bodyOf(c, Move);
    return c.json(viewOf(move(db, c.req.param("uid"), parentUid), c.get("user").role));
  });
  // `forceDeleteRules` has no effect, because there are no alert rules. The database also deletes the folder's content.
  api.delete("/:uid", needs("Editor", "folders:delete"), (c) => {
    const { id, uid, title } = findFolder(db, c.req.param("uid"));
    db.run("DELETE FROM folder WHERE id = ?", [id]);
    return c.json({ id, uid, title, message: `Folder ${title} deleted` });
  });
  return api;
}

function create(db: Database, command: z.output<typeof Create>, by: string): Folder {
  const title = titleOf(command);
  const uid = command.uid === "" ? newUid() : command.uid;
  checkUid(uid);
  const now = timestamp();
  return db.transaction(() => {
    if (command.parentUid !== "") findFolder(db, command.parentUid);
    if (db.one("SELECT id FROM folder WHERE uid = ?", [uid]) !== undefined) throw changedByOther();
    const { id } = db.run(
      `INSERT INTO folder (uid, title, parent_uid, version, created, created_by, updated, updated_by)
       VALUES (?, ?, ?, 1, ?, ?, ?, ?)`,
      [uid, title, command.parentUid === "" ? null : command.parentUid, now, by, now, by],
    );
    return db.one("SELECT * FROM folder WHERE id = ?", [id]) as Folder;
  });
}

function update(db: Database, uid: string, command: z.output<typeof Update>, by: string): Folder {
  const title = titleOf(command);
  return db.transaction(() => {
    const { id, version } = findFolder(db, uid);
    if (!command.overwrite && command.version !== version) throw changedByOther();
    db.run("UPDATE folder SET title = ?, version = version + 1, updated = ?, updated_by = ? WHERE id = ?", [
      title,
      timestamp(),
      by,
      id,
    ]);
    return findFolder(db, uid);
  });
}

function move(db: Database, uid: string, parentUid: string): Folder {
  return db.transaction(() => {
    findFolder(db, uid);
    for (let above = parentUid; above !== ""; above = findFolder(db, above).parent_uid ?? "") {
      if (above === uid) throw new ApiError(400, "cannot move a folder under its own descendant");
    }
    db.run("UPDATE folder SET parent_uid = ? WHERE uid = ?", [parentUid === "" ? null : parentUid, uid]);
    return findFolder(db, uid);
  });
}

function titleOf({ title }: { title: string }): string {
  const trimmed = title.trim();
  if (trimmed === "") throw new ApiError(400, "folder title cannot be empty");
  return trimmed;
}

function changedByOther(): ApiError {
  return new ApiError(412, "the folder has been changed by someone else", { status: "version-mismatch" });
}

function viewOf(folder: Folder, role: string): Record<string, unknown> {
  const canSave = role !== "Viewer";
  return {
    id: folder.id,
    uid: folder.uid,
    orgId: 1,
    title: folder.title,
    url: folderUrl(folder),
    hasAcl: false,
    canSave,
    canEdit: canSave,
    canAdmin: canSave,
    canDelete: canSave,
    createdBy: folder.created_by,
    created: folder.created,
    updatedBy: folder.updated_by,
    updated: folder.updated,
    version: folder.version,
    ...parentOf(folder.parent_uid),
  };
}

function parentOf(parentUid: string | null): { parentUid?: string } {
  return parentUid === null ? {} : { parentUid };
}
