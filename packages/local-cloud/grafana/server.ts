import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { createApp } from "./app.ts";
import { isInUse, openControl } from "./control.ts";
import { DataSourceCommand, DataSources } from "./core/data-sources.ts";
import { Database } from "./core/database.ts";
import { log } from "./log.ts";
import type { Settings } from "./core/settings.ts";
import { STAND_IN, VERSION } from "./core/version.ts";

/** A running server. */
export interface Running {
  /** URL of the server on this computer. */
  url: string;
  close(): Promise<void>;
}

/** Maximum time in ms that a shutdown waits for running requests. The pod's grace period is 30 s. */
const CLOSE_MS = 10_000;

/**
 * Starts the server.
 *
 * @param prometheus URL of a Prometheus for the data source `my-prom`; ignored if this data source exists
 * @throws Error if another server uses the data directory or the port
 */
export async function startServer(settings: Settings, prometheus?: string): Promise<Running> {
  if (await isInUse(settings.dataDir)) {
    throw new Error(`Another server uses ${settings.dataDir}: stop it, or use another directory`);
  }
  const db = new Database(settings.dataDir);
  const app = createApp(db, settings);
  if (prometheus !== undefined) addPrometheus(new DataSources(db), prometheus);
  const control = await openControl(db, settings);
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(settings.port, settings.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  log("info", STAND_IN, { version: VERSION });
  if (settings.ignored.length > 0) {
    log("info", "Settings that this stand-in ignores", {
      ignored: settings.ignored.join(" "),
    });
  }
  log("info", "HTTP Server Listen", { port, data: settings.dataDir });
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      control.close();
      await closed(server);
      db.close();
    },
  };
}

function addPrometheus(sources: DataSources, url: string): void {
  const name = "my-prom";
  if (sources.list().some((source) => source.name === name)) return;
  const jsonData = { httpMethod: "POST", timeInterval: "10s" };
  sources.create(
    DataSourceCommand.parse({ name, uid: name, type: "prometheus", url, isDefault: true, jsonData }),
  );
}

function closed(server: Server): Promise<void> {
  const timer = setTimeout(() => {
    server.closeAllConnections();
  }, CLOSE_MS);
  return new Promise((resolve) => {
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
