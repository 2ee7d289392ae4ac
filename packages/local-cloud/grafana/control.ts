import { existsSync, rmSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { z } from "zod";
import { Accounts } from "./core/accounts.ts";
import type { Database } from "./core/database.ts";
import { ApiError } from "./core/errors.ts";
import { bodyOf } from "./core/request.ts";
import type { Settings } from "./core/settings.ts";

const Reset = z.object({ userId: z.number().int().positive(), password: z.string() });

/**
 * Accepts the commands of `grafana cli` on a socket in the data directory, because only one process can open the
 * database. Requests are not authenticated: users who can write to the directory can change the database anyway.
 * Replaces an existing socket, so call {@link isInUse} first.
 *
 * @throws Error if the socket can't be created
 */
export async function openControl(db: Database, settings: Settings): Promise<http.Server> {
  const app = new Hono();
  const accounts = new Accounts(db, settings);
  app.post("/reset-password", async (c) => {
    const { userId, password } = await bodyOf(c, Reset);
    accounts.setPassword(userId, password);
    return c.json({});
  });
  app.onError((error, c) =>
    c.json({ message: error.message }, error instanceof ApiError ? error.status : 500),
  );
  const server = createAdaptorServer({ fetch: app.fetch }) as http.Server;
  const socket = socketOf(settings.dataDir);
  rmSync(socket, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socket, resolve);
  });
  return server;
}

/** Reports whether a server uses the data directory. */
export async function isInUse(dataDir: string): Promise<boolean> {
  if (!existsSync(socketOf(dataDir))) return false;
  return request(dataDir, "/", {}).then(
    () => true,
    () => false,
  );
}

/** Sets a password through the running server. @throws Error with the server's message */
export async function resetPassword(dataDir: string, userId: number, password: string): Promise<void> {
  const { status, text } = await request(dataDir, "/reset-password", { userId, password });
  if (status !== 200) throw new Error((JSON.parse(text) as { message: string }).message);
}

function request(dataDir: string, url: string, body: object): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { "Content-Type": "application/json" };
    const sent = http.request(
      { socketPath: socketOf(dataDir), path: url, method: "POST", headers },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, text });
        });
      },
    );
    sent.on("error", (cause) => {
      reject(new Error(`No server responds at ${socketOf(dataDir)}: is it running?`, { cause }));
    });
    sent.end(JSON.stringify(body));
  });
}

function socketOf(dataDir: string): string {
  return path.join(dataDir, "control.sock");
}
