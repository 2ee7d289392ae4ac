import { z } from "zod";
import type { Database } from "./database.ts";
import { ApiError } from "./errors.ts";
import { checkUid, newUid } from "./uid.ts";

/** Body of a request that creates or updates a data source. */
export const DataSourceCommand = z.object({
  name: z.string().min(1),
  type: z.string().min(1),
  uid: z.string().default(""),
  access: z.enum(["proxy", "direct", ""]).default("proxy"),
  url: z.string().default(""),
  user: z.string().default(""),
  database: z.string().default(""),
  basicAuth: z.boolean().default(false),
  basicAuthUser: z.string().default(""),
  withCredentials: z.boolean().default(false),
  isDefault: z.boolean().default(false),
  jsonData: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((value) => value ?? {}),
  secureJsonData: z
    .record(z.string(), z.string())
    .nullish()
    .transform((value) => value ?? {}),
  /** Version that an update replaces. It must be the current one. Without it, or with 0, any version is replaced. */
  version: z.number().int().optional(),
});

type Command = z.output<typeof DataSourceCommand>;

/** A data source, with its secrets. */
export interface DataSource extends Omit<Command, "secureJsonData" | "version"> {
  id: number;
  version: number;
  secrets: Record<string, string>;
}

interface Row {
  id: number;
  uid: string;
  name: string;
  type: string;
  is_default: number;
  version: number;
  settings: string;
  secrets: string;
}

/** Data sources in the database. */
export class DataSources {
  constructor(private readonly db: Database) {}

  /** Returns all data sources, sorted by name. */
  list(): DataSource[] {
    return this.db.all<Row>("SELECT * FROM data_source ORDER BY name").map(fromRow);
  }

  /** Returns the data source. @throws ApiError 404 if it doesn't exist */
  get(key: "uid" | "name" | "id", value: string | number): DataSource {
    const row = this.db.one<Row>(`SELECT * FROM data_source WHERE ${key} = ?`, [value]);
    if (row === undefined) throw new ApiError(404, "Data source not found");
    return fromRow(row);
  }

  /** Creates a data source. @throws ApiError 409 if the name or UID exists */
  create(command: Command): DataSource {
    const uid = command.uid === "" ? newUid() : command.uid;
    checkUid(uid);
    return this.db.transaction(() => {
      this.refuseSame("name", command.name, 0);
      this.refuseSame("uid", uid, 0);
      const { id } = this.db.run(
        `INSERT INTO data_source (uid, name, type, is_default, version, settings, secrets) VALUES (?, ?, ?, ?, 1, ?, ?)`,
        [uid, command.name, command.type, 0, settingsOf(command), JSON.stringify(command.secureJsonData)],
      );
      if (command.isDefault) this.makeDefault(id);
      return this.get("id", id);
    });
  }

  /**
   * Replaces all fields, but keeps secrets that the command omits.
   *
   * @throws ApiError 409 if another data source has the name or UID, or the version isn't the current one
   */
  update(id: number, command: Command): DataSource {
    return this.db.transaction(() => {
      const before = this.get("id", id);
      if ((command.version ?? 0) !== 0 && command.version !== before.version) {
        throw new ApiError(
          409,
          "Datasource has already been updated by someone else. Please reload and try again",
        );
      }
      const uid = command.uid === "" ? before.uid : command.uid;
      checkUid(uid);
      this.refuseSame("name", command.name, id);
      this.refuseSame("uid", uid, id);
      const secrets = JSON.stringify({ ...before.secrets, ...command.secureJsonData });
      this.db.run(
        `UPDATE data_source SET uid = ?, name = ?, type = ?, is_default = ?, version = version + 1, settings = ?,
         secrets = ? WHERE id = ?`,
        [uid, command.name, command.type, command.isDefault ? 1 : 0, settingsOf(command), secrets, id],
      );
      if (command.isDefault) this.makeDefault(id);
      return this.get("id", id);
    });
  }

  delete(id: number): void {
    this.db.run("DELETE FROM data_source WHERE id = ?", [id]);
  }

  private makeDefault(id: number): void {
    this.db.run("UPDATE data_source SET is_default = (id = ?)", [id]);
  }

  private refuseSame(key: "uid" | "name", value: string, id: number): void {
    const same = this.db.one(`SELECT id FROM data_source WHERE ${key} = ? AND id <> ?`, [value, id]);
    if (same !== undefined) throw new ApiError(409, `data source with the same ${key} already exists`);
  }
}

function settingsOf(command: Command): string {
  const { access, url, user, database, basicAuth, basicAuthUser, withCredentials, jsonData } = command;
  return JSON.stringify({ access, url, user, database, basicAuth, basicAuthUser, withCredentials, jsonData });
}

function fromRow({ is_default, settings, secrets, ...row }: Row): DataSource {
  return {
    ...(JSON.parse(settings) as Omit<DataSource, keyof Row | "isDefault">),
    ...row,
    isDefault: is_default === 1,
    secrets: JSON.parse(secrets) as Record<string, string>,
  };
}
