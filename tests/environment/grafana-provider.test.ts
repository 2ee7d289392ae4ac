import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { ExecaError } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Engine, openCloud, removeCloud } from "k8sfv-local-cloud";
import { type Running, readSettings, startServer } from "k8sfv-local-cloud/grafana";
import { openTestCloud } from "./stack.ts";

const programDir = fileURLToPath(new URL("grafana-content", import.meta.url));
const AUTH = "admin:only-for-this-test";

/**
 * Resource types. The program in grafana-content/ creates one resource of each. `path` is the API path of this
 * resource, and `named` is the key in the API's response that contains its name.
 */
const RESOURCES = {
  "data source": { path: "/api/datasources/uid/source", named: "name" },
  folder: { path: "/api/folders/folder", named: "title" },
  dashboard: { path: "/api/dashboards/uid/dashboard", named: "dashboard.title" },
} as const;
type Kind = keyof typeof RESOURCES;
const KINDS = Object.keys(RESOURCES) as Kind[];

/**
 * Tests the Grafana stand-in with Grafana's provider: create, read, update, import, drift and delete for each resource
 * type. Starts no cluster. Does not prove that Grafana responds the same.
 */
describe("Grafana's provider against the stand-in", () => {
  let engine: Engine;
  let dir: string;
  let server: Running;

  beforeAll(async () => {
    ({ engine } = await openTestCloud("grafana-provider"));
    dir = await mkdtemp(path.join(tmpdir(), "k8sfv-grafana-"));
    const environmentOf = {
      GF_PATHS_DATA: path.join(dir, "data"),
      GF_SERVER_HTTP_ADDR: "127.0.0.1",
      GF_SERVER_HTTP_PORT: "0",
      GF_SECURITY_ADMIN_PASSWORD: AUTH.split(":")[1],
    };
    server = await startServer(readSettings(environmentOf, dir));
    // The engine writes the stack file into the directory where it creates the stack. This must not be the checkout.
    await cp(path.join(programDir, "Pulumi.yaml"), path.join(dir, "Pulumi.yaml"));
    await engine.pulumi(["stack", "init", "contract"], { cwd: dir });
    await set({ url: server.url, name: "first" });
    await pulumi(["config", "set", "--secret", "auth", AUTH]);
    await keep(KINDS);
  });

  afterAll(async () => {
    await server.close();
    await removeCloud(openCloud("grafana-provider"));
    await rm(dir, { recursive: true, force: true });
  });

  it("creates each resource and reads it back unchanged", async () => {
    await up();
    for (const kind of KINDS) expect(await nameOf(kind)).toBe("first");
    expect(await get(RESOURCES["data source"].path)).toMatchObject({
      ...{ uid: "source", type: "prometheus", access: "proxy", url: "http://first:9090", isDefault: true },
      jsonData: { httpMethod: "POST", timeInterval: "10s", manageAlerts: false },
    });
    expect(await get(RESOURCES.dashboard.path)).toMatchObject({
      meta: { folderUid: "folder" },
      dashboard: { schemaVersion: 39, tags: ["contract"], panels: [{ id: 1, title: "first" }] },
    });
    await expectNoChanges();
  });

  it("updates each resource in place", async () => {
    await set({ name: "second" });
    const stdout = await up();
    expect(stdout).toMatch(/~ 3 updated/);
    for (const kind of KINDS) expect(await nameOf(kind)).toBe("second");
    expect(await get(RESOURCES.dashboard.path)).toHaveProperty("meta.version", 2);
    await expectNoChanges();
  });

  it("detects and reverts manual changes of each resource", async () => {
    const source = (await get(RESOURCES["data source"].path)) as object;
    await send("PUT", RESOURCES["data source"].path, { ...source, url: "http://by-hand:9090" });
    await send("PUT", RESOURCES.folder.path, { title: "by hand", overwrite: true });
    const { dashboard } = (await get(RESOURCES.dashboard.path)) as { dashboard: object };
    await send("POST", "/api/dashboards/db", {
      dashboard: { ...dashboard, title: "by hand" },
      folderUid: "folder",
    });
    const preview = await pulumi(["preview", "--refresh", "--diff"]);
    expect(preview).toContain("http://by-hand:9090");
    expect(preview).toMatch(/~ 3 to update/);
    await up("--refresh");
    for (const kind of KINDS) expect(await nameOf(kind)).toBe("second");
    expect(await get(RESOURCES["data source"].path)).toHaveProperty("url", "http://second:9090");
  });

  it("recreates each resource that was deleted manually", async () => {
    for (const kind of ["dashboard", "folder", "data source"] as const)
      await send("DELETE", RESOURCES[kind].path);
    const stdout = await up("--refresh");
    expect(stdout).toMatch(/\+ 3 created/);
    for (const kind of KINDS) expect(await nameOf(kind)).toBe("second");
  });

  it("imports each resource by its UID", async () => {
    await forget();
    await set({ import: "true" });
    const stdout = await up();
    expect(stdout).toMatch(/= 3 imported/);
    await set({ import: "false" });
    await expectNoChanges();
  });

  it("reports Grafana's error if a resource already exists", async () => {
    await forget();
    const output = await refused(["up", "--yes", "--skip-preview"]);
    expect(output).toContain("data source with the same name already exists");
    expect(output).toMatch(/status 412|StatusCode: 412|\[412\]/);
    await set({ import: "true" });
    await up();
    await set({ import: "false" });
  });

  it("deletes each resource", async () => {
    await keep([]);
    const stdout = await up();
    expect(stdout).toMatch(/- 3 deleted/);
    for (const kind of KINDS) expect((await ask("GET", RESOURCES[kind].path)).status).toBe(404);
  });

  it("accepts the deletion of a resource that no longer exists", async () => {
    await keep(KINDS);
    await up();
    for (const kind of ["dashboard", "folder", "data source"] as const)
      await send("DELETE", RESOURCES[kind].path);
    await pulumi(["destroy", "--yes", "--skip-preview"]);
  });

  // This is the last test, because the stand-in, like Grafana, blocks a login for 5 minutes after 5 wrong passwords.
  it("reports a wrong password", async () => {
    await keep(KINDS);
    await pulumi(["config", "set", "--secret", "auth", "admin:wrong"]);
    expect(await refused(["up", "--yes", "--skip-preview"])).toMatch(
      /\[401\].*Invalid username or password/s,
    );
  });

  function pulumi(args: string[]): Promise<string> {
    const ofStack = ["--stack", "contract", "--config-file", path.join(dir, "Pulumi.contract.yaml")];
    const takesFile = !["stack", "state"].includes(args[0] ?? "");
    return engine.pulumi([...args, ...(takesFile ? ofStack : ofStack.slice(0, 2))], { cwd: programDir });
  }

  function up(...more: string[]): Promise<string> {
    return pulumi(["up", "--yes", "--skip-preview", ...more]);
  }

  async function expectNoChanges(): Promise<void> {
    await pulumi(["preview", "--refresh", "--diff", "--expect-no-changes"]);
  }

  async function refused(args: string[]): Promise<string> {
    const refusal: unknown = await pulumi(args).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ExecaError);
    return String((refusal as ExecaError).stdout);
  }

  async function set(values: Record<string, string>): Promise<void> {
    for (const [key, value] of Object.entries(values)) await pulumi(["config", "set", key, value]);
  }

  async function keep(kinds: readonly Kind[]): Promise<void> {
    await pulumi(["config", "set", "kept", JSON.stringify(kinds)]);
  }

  /** Removes each resource from the state but not from Grafana. */
  async function forget(): Promise<void> {
    await pulumi(["state", "delete", "--all", "--yes"]);
  }

  async function nameOf(kind: Kind): Promise<unknown> {
    const { path: url, named } = RESOURCES[kind];
    return named
      .split(".")
      .reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], await get(url));
  }

  async function get(url: string): Promise<unknown> {
    return send("GET", url);
  }

  async function send(method: string, url: string, body?: object): Promise<object> {
    const response = await ask(method, url, body);
    if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
    return (await response.json()) as object;
  }

  function ask(method: string, url: string, body?: object): Promise<Response> {
    return fetch(`${server.url}${url}`, {
      method,
      headers: {
        Authorization: `Basic ${Buffer.from(AUTH).toString("base64")}`,
        "Content-Type": "application/json",
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  }
});
