import type { Database } from "./database.ts";
import { notFound } from "./errors.ts";
import { slugOf } from "./request.ts";

/** A row of the table `folder`. */
export interface Folder {
  id: number;
  uid: string;
  title: string;
  parent_uid: string | null;
  version: number;
  created: string;
  created_by: string;
  updated: string;
  updated_by: string;
}

/** Returns the folder. @throws ApiError 404 if it doesn't exist */
export function findFolder(db: Database, uid: string): Folder {
  const folder = db.one<Folder>("SELECT * FROM folder WHERE uid = ?", [uid]);
  if (folder === undefined) throw notFound("folder not found");
  return folder;
}

/** Returns the URL of a folder's page. */
export function folderUrl({ uid, title }: Pick<Folder, "uid" | "title">): string {
  return `/dashboards/f/${uid}/${slugOf(title)}`;
}
