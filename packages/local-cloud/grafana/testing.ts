import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { createApp } from "./app.ts";
import { Database } from "./core/database.ts";
import { readSettings } from "./core/settings.ts";

/** A response of the API. */
export interface Answer {
  status: number;
  /** The parsed body of a JSON response, otherwise the body's text. */
  body: unknown;
  headers: Headers;
}

/** Calls the API of one server. */
export type Call = (
  method: string,
  path: string,
  options?: { body?: unknown; as?: string | null; headers?: Record<string, string> },
) => Promise<Answer>;

/** Creates a directory that is removed after the test. */
export function scratchDir(): string {
  const dir = mkdtempSync(path.join(tmpdir(), "k8sfv-grafana-test-"));
  onTestFinished(() => {
    rmSync(dir, { recursive: true, force: true });
  });
  return dir;
}

/**
 * Creates a server without a port: requests are passed to its routes, by default as `admin`. Passwords have a low
 * scrypt cost, because the default cost takes 50 ms for each password.
 *
 * @param dataDir directory of the database, which may already exist
 */
export function openApi(
  environment: Record<string, string> = {},
  dataDir = scratchDir(),
): { call: Call; close: () => void } {
  const settings = { ...readSettings({ GF_PATHS_DATA: dataDir, ...environment }, dataDir), scryptCost: 2 };
  const db = new Database(dataDir);
  const app = createApp(db, settings);
  const close = () => {
    db.close();
  };
  onTestFinished(close);
  const call: Call = async (method, url, { body, as = "admin:admin", headers = {} } = {}) => {
    const all = new Headers({ "Content-Type": "application/json", Host: "localhost", ...headers });
    if (as !== null) all.set("Authorization", `Basic ${Buffer.from(as).toString("base64")}`);
    const response = await app.request(url, {
      method,
      headers: all,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    const isJson = response.headers.get("Content-Type")?.startsWith("application/json") === true;
    return {
      status: response.status,
      body: isJson ? (JSON.parse(text) as unknown) : text,
      headers: response.headers,
    };
  };
  return { call, close };
}

/** A request that a data source received. */
export interface Received {
  method: string;
  url: string;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** Starts a server for a data source, which records requests and responds with `answer`. */
export async function upstream(
  answer: (request: Received) => { status?: number; body: unknown },
): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const got = { method, url, headers, body };
      received.push(got);
      const { status = 200, body: answered } = answer(got);
      response.writeHead(status, { "Content-Type": "application/json", "X-Internal": "kept" });
      response.end(JSON.stringify(answered));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

/** Creates a server whose data source `my-prom` responds with `answer`. */
export async function openWithPrometheus(
  answer: (request: Received) => { status?: number; body: unknown },
  more: object = {},
): Promise<{ call: Call; received: Received[] }> {
  const { url, received } = await upstream(answer);
  const { call } = openApi();
  await call("POST", "/api/datasources", {
    body: { name: "my-prom", uid: "my-prom", type: "prometheus", url, ...more },
  });
  return { call, received };
}
