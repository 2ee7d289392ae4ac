import { chmodSync, mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import sqlite from "node-sqlite3-wasm";

/** A value of a column. */
export type Value = string | number | null;

/** Migrations of the schema. Each runs once, in this order. SQLite's `user_version` counts the applied ones. */
const MIGRATIONS = [
  `
  CREATE TABLE user (
    id INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT NOT NULL UNIQUE COLLATE NOCASE,
    email TEXT NOT NULL, name TEXT NOT NULL, password TEXT NOT NULL, role TEXT NOT NULL,
    is_admin INTEGER NOT NULL, created TEXT NOT NULL, updated TEXT NOT NULL);
  CREATE TABLE session (
    token_hash TEXT PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    created INTEGER NOT NULL, seen INTEGER NOT NULL);
  CREATE TABLE login_attempt (login TEXT NOT NULL COLLATE NOCASE, at INTEGER NOT NULL);
  CREATE TABLE data_source (
    id INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL, is_default INTEGER NOT NULL, version INTEGER NOT NULL,
    settings TEXT NOT NULL, secrets TEXT NOT NULL);
  CREATE TABLE folder (
    id INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE, title TEXT NOT NULL,
    parent_uid TEXT REFERENCES folder (uid) ON DELETE CASCADE, version INTEGER NOT NULL,
    created TEXT NOT NULL, created_by TEXT NOT NULL, updated TEXT NOT NULL, updated_by TEXT NOT NULL);
  CREATE TABLE dashboard (
    id INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE, title TEXT NOT NULL,
    folder_uid TEXT REFERENCES folder (uid) ON DELETE CASCADE, version INTEGER NOT NULL, body TEXT NOT NULL,
    created TEXT NOT NULL, created_by TEXT NOT NULL, updated TEXT NOT NULL, updated_by TEXT NOT NULL);
  CREATE TABLE dashboard_version (
    id INTEGER PRIMARY KEY AUTOINCREMENT, dashboard_id INTEGER NOT NULL REFERENCES dashboard ON DELETE CASCADE,
    version INTEGER NOT NULL, parent_version INTEGER NOT NULL, restored_from INTEGER NOT NULL,
    message TEXT NOT NULL, body TEXT NOT NULL, created TEXT NOT NULL, created_by TEXT NOT NULL,
    UNIQUE (dashboard_id, version));
  CREATE TABLE annotation (
    id INTEGER PRIMARY KEY AUTOINCREMENT, dashboard_uid TEXT REFERENCES dashboard (uid) ON DELETE CASCADE ON UPDATE CASCADE,
    panel_id INTEGER NOT NULL, text TEXT NOT NULL, tags TEXT NOT NULL, time INTEGER NOT NULL,
    time_end INTEGER NOT NULL, user_id INTEGER NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL);
  `,
];

/**
 * The server's state, in one SQLite file. Data is on disk when a method returns.
 *
 * Only a write-ahead log is crash-safe here. With SQLite's default, a rollback journal, node-sqlite3-wasm 0.8.60 would
 * never roll back the journal of a killed process, because it mistakes its own lock for another process's lock.
 */
export class Database {
  private readonly db: sqlite.Database;

  /**
   * Opens the database, or creates it.
   *
   * @param dataDir directory of the file `grafana.db`; only one process may use it at a time
   */
  constructor(dataDir: string) {
    mkdirSync(dataDir, { recursive: true });
    const file = path.join(dataDir, "grafana.db");
    // Removes the lock of a killed process. The caller ensures that no other process uses the database.
    rmSync(`${file}.lock`, { recursive: true, force: true });
    this.db = new sqlite.Database(file);
    chmodSync(file, 0o600);
    // A write-ahead log needs shared memory, which WebAssembly lacks, or exclusive locking before the first read.
    this.db.exec("PRAGMA locking_mode = EXCLUSIVE");
    this.db.exec("PRAGMA journal_mode = WAL");
    this.db.exec("PRAGMA synchronous = FULL");
    this.db.exec("PRAGMA foreign_keys = ON");
    this.migrate();
  }

  /** Returns the first row, or undefined. */
  // The caller knows the columns that its SQL selects.
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
  one<Row>(sql: string, values: Value[] = []): Row | undefined {
    return (this.db.get(sql, values) ?? undefined) as Row | undefined;
  }

  /** Returns all rows. */
  all<Row>(sql: string, values: Value[] = []): Row[] {
    return this.db.all(sql, values) as Row[];
  }

  /** Runs a statement that returns no rows. @returns the ID of the inserted row and the number of changed rows */
  run(sql: string, values: Value[] = []): { id: number; changes: number } {
    const { lastInsertRowid, changes } = this.db.run(sql, values);
    return { id: Number(lastInsertRowid), changes };
  }

  /** Runs `work` in a transaction, which is rolled back if it throws. */
  transaction<Result>(work: () => Result): Result {
    this.db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.db.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.db.inTransaction) this.db.exec("ROLLBACK");
      throw error;
    }
  }

  close(): void {
    if (this.db.isOpen) this.db.close();
  }

  private migrate(): void {
    const { user_version: done } = this.one<{ user_version: number }>("PRAGMA user_version") ?? {
      user_version: 0,
    };
    MIGRATIONS.slice(done).forEach((sql, at) => {
      this.transaction(() => {
        this.db.exec(sql);
        this.db.exec(`PRAGMA user_version = ${done + at + 1}`);
      });
    });
  }
}
