import { findFolder } from "./folders.ts";
import type { Database } from "./database.ts";
import { ApiError, notFound } from "./errors.ts";
import { slugOf, timestamp } from "./request.ts";
import { checkUid, newUid } from "./uid.ts";

/** A row of the table `dashboard`. */
export interface DashboardRow {
  id: number;
  uid: string;
  title: string;
  folder_uid: string | null;
  version: number;
  body: string;
  created: string;
  created_by: string;
  updated: string;
  updated_by: string;
}

/** A row of the table `dashboard_version`. */
export interface VersionRow {
  id: number;
  dashboard_id: number;
  version: number;
  parent_version: number;
  restored_from: number;
  message: string;
  body: string;
  created: string;
  created_by: string;
}

/** Arguments of save. */
export interface SaveCommand {
  dashboard: Record<string, unknown>;
  /** UID of the folder; empty for the root. */
  folderUid: string;
  /** Whether to save the dashboard even if the given version isn't the current one. */
  overwrite: boolean;
  message: string;
  by: string;
  /** Version that is restored; 0 if nothing is restored. @default 0 */
  restoredFrom?: number;
}

/** Dashboards in the database. */
export class Dashboards {
  constructor(private readonly db: Database) {}

  /** Returns the dashboard. @throws ApiError 404 if it doesn't exist */
  get(uid: string): DashboardRow {
    const row = this.db.one<DashboardRow>("SELECT * FROM dashboard WHERE uid = ?", [uid]);
    if (row === undefined) throw notFound("Dashboard not found");
    return row;
  }

  /**
   * Creates a dashboard, or updates the one with its `id` or `uid`.
   *
   * @throws ApiError 400 without a title, 404 for an unknown `id` or folder, 412 if `version` isn't the current one and
   * `overwrite` isn't set
   */
  save(command: SaveCommand): DashboardRow {
    return this.db.transaction(() => {
      const { title, given } = checked(command.dashboard);
      const before = this.toReplace(command.dashboard.id, given);
      const folder = command.folderUid === "" || command.folderUid === "general" ? null : command.folderUid;
      if (folder !== null) findFolder(this.db, folder);
      if (before !== undefined && !command.overwrite && (command.dashboard.version ?? 0) !== before.version) {
        throw new ApiError(412, "The dashboard has been changed by someone else", {
          status: "version-mismatch",
        });
      }
      const uid = given === "" ? (before?.uid ?? newUid()) : given;
      const version = (before?.version ?? 0) + 1;
      const row = { uid, title, folder, version, by: command.by, now: timestamp() };
      const id = before === undefined ? this.insert(row) : this.update(before.id, row);
      const body = JSON.stringify({ ...command.dashboard, id, uid, version });
      this.db.run("UPDATE dashboard SET body = ? WHERE id = ?", [body, id]);
      this.db.run(
        `INSERT INTO dashboard_version
         (dashboard_id, version, parent_version, restored_from, message, body, created, created_by)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        [
          id,
          version,
          before?.version ?? 0,
          command.restoredFrom ?? 0,
          command.message,
          body,
          row.now,
          command.by,
        ],
      );
      return this.get(uid);
    });
  }

  delete(uid: string): DashboardRow {
    const row = this.get(uid);
    this.db.run("DELETE FROM dashboard WHERE id = ?", [row.id]);
    return row;
  }

  /** Returns at most `limit` versions of the dashboard with this ID, newest first, without the first `start`. */
  versions(id: number, limit: number, start: number): VersionRow[] {
    return this.db.all(
      "SELECT * FROM dashboard_version WHERE dashboard_id = ? ORDER BY version DESC LIMIT ? OFFSET ?",
      [id, limit, start],
    );
  }

  /** Returns a version of the dashboard with this ID. @throws ApiError 404 if it doesn't exist */
  version(id: number, version: number): VersionRow {
    const sql = "SELECT * FROM dashboard_version WHERE dashboard_id = ? AND version = ?";
    const row = this.db.one<VersionRow>(sql, [id, version]);
    if (row === undefined) throw new ApiError(404, "Dashboard version not found");
    return row;
  }

  private toReplace(id: unknown, uid: string): DashboardRow | undefined {
    const byUid = this.db.one<DashboardRow>("SELECT * FROM dashboard WHERE uid = ?", [uid]);
    if (typeof id !== "number" || id === 0) return byUid;
    const byId = this.db.one<DashboardRow>("SELECT * FROM dashboard WHERE id = ?", [id]);
    if (byId === undefined) throw notFound("Dashboard not found");
    if (byUid !== undefined && byUid.id !== byId.id) {
      throw new ApiError(400, "A dashboard with the same uid already exists");
    }
    return byId;
  }

  private insert(row: Row): number {
    return this.db.run(
      `INSERT INTO dashboard (uid, title, folder_uid, version, body, created, created_by, updated, updated_by)
       VALUES (?, ?, ?, ?, '', ?, ?, ?, ?)`,
      [row.uid, row.title, row.folder, row.version, row.now, row.by, row.now, row.by],
    ).id;
  }

  private update(id: number, row: Row): number {
    this.db.run(
      "UPDATE dashboard SET uid = ?, title = ?, folder_uid = ?, version = ?, updated = ?, updated_by = ? WHERE id = ?",
      [row.uid, row.title, row.folder, row.version, row.now, row.by, id],
    );
    return id;
  }
}

interface Row {
  uid: string;
  title: string;
  folder: string | null;
  version: number;
  by: string;
  now: string;
}

export function dashboardUrl({ uid, title }: Pick<DashboardRow, "uid" | "title">): string {
  return `/d/${uid}/${slugOf(title)}`;
}

function checked({ title, uid }: Record<string, unknown>): { title: string; given: string } {
  if (typeof title !== "string" || title.trim() === "") {
    throw new ApiError(400, "Dashboard title cannot be empty", { status: "empty-name" });
  }
  const given = typeof uid === "string" ? uid.trim() : "";
  if (given !== "") checkUid(given);
  return { title: title.trim(), given };
}
