import { describe, expect, test } from "vitest";
import { openApi, scratchDir } from "./testing.ts";

const SOURCE = {
  name: "my-prom",
  uid: "my-prom",
  type: "prometheus",
  url: "http://prometheus:9090",
  isDefault: true,
};

describe("data sources", () => {
  test("are created, read by uid, id and name, updated and deleted", async () => {
    const { call } = openApi();
    const created = await call("POST", "/api/datasources", {
      body: { ...SOURCE, jsonData: { timeInterval: "10s" } },
    });
    expect(created).toMatchObject({
      status: 200,
      body: { id: 1, message: "Datasource added", name: "my-prom" },
    });
    const expected = { ...SOURCE, id: 1, orgId: 1, access: "proxy", version: 1, readOnly: false };
    for (const key of ["uid/my-prom", "1", "name/my-prom"]) {
      const { status, body } = await call("GET", `/api/datasources/${key}`);
      expect(status).toBe(200);
      expect(body).toMatchObject({ ...expected, jsonData: { timeInterval: "10s" } });
    }
    const updated = await call("PUT", "/api/datasources/uid/my-prom", {
      body: { ...SOURCE, url: "http://other" },
    });
    expect(updated.body).toMatchObject({
      message: "Datasource updated",
      datasource: { url: "http://other", version: 2 },
    });
    expect((await call("GET", "/api/datasources")).body).toHaveLength(1);
    const deleted = await call("DELETE", "/api/datasources/uid/my-prom");
    expect(deleted).toMatchObject({ status: 200, body: { id: 1, message: "Data source deleted" } });
    const gone = await call("GET", "/api/datasources/uid/my-prom");
    expect(gone).toMatchObject({ status: 404, body: { message: "Data source not found" } });
    expect((await call("DELETE", "/api/datasources/uid/my-prom")).status).toBe(404);
  });

  test("with an existing name or UID are rejected", async () => {
    const { call } = openApi();
    await call("POST", "/api/datasources", { body: SOURCE });
    const sameName = await call("POST", "/api/datasources", { body: { ...SOURCE, uid: "other" } });
    expect(sameName).toMatchObject({
      status: 409,
      body: { message: "data source with the same name already exists" },
    });
    const sameUid = await call("POST", "/api/datasources", { body: { ...SOURCE, name: "other" } });
    expect(sameUid).toMatchObject({
      status: 409,
      body: { message: "data source with the same uid already exists" },
    });
    const badUid = await call("POST", "/api/datasources", { body: { ...SOURCE, name: "other", uid: "a b" } });
    expect(badUid.status).toBe(400);
  });

  test("reject an update of another version", async () => {
    const { call } = openApi();
    await call("POST", "/api/datasources", { body: SOURCE });
    const update = (version: number) =>
      call("PUT", "/api/datasources/uid/my-prom", { body: { ...SOURCE, version } });
    expect((await update(7)).status).toBe(409);
    expect((await update(1)).status).toBe(200);
  });

  test("have a single default", async () => {
    const { call } = openApi();
    await call("POST", "/api/datasources", { body: SOURCE });
    await call("POST", "/api/datasources", { body: { ...SOURCE, name: "other", uid: "other" } });
    const { body } = await call("GET", "/api/datasources");
    const defaults = (body as { name: string; isDefault: boolean }[]).filter(({ isDefault }) => isDefault);
    expect(defaults.map(({ name }) => name)).toEqual(["other"]);
  });

  test("return the names of secrets but not their values, and keep secrets that an update omits", async () => {
    const { call } = openApi();
    const body = { ...SOURCE, secureJsonData: { basicAuthPassword: "hush" } };
    const created = await call("POST", "/api/datasources", { body });
    await call("PUT", "/api/datasources/uid/my-prom", { body: SOURCE });
    const read = await call("GET", "/api/datasources/uid/my-prom");
    expect(read.body).toMatchObject({ secureJsonFields: { basicAuthPassword: true } });
    expect(JSON.stringify([created.body, read.body])).not.toContain("hush");
  });
});

describe("folders", () => {
  test("are created, read, renamed, moved and deleted with their content", async () => {
    const { call } = openApi();
    const created = await call("POST", "/api/folders", { body: { title: "k8sfv", uid: "k8sfv" } });
    expect(created).toMatchObject({
      status: 200,
      body: { uid: "k8sfv", url: "/dashboards/f/k8sfv/k8sfv", version: 1 },
    });
    await call("POST", "/api/folders", { body: { title: "Inner", uid: "inner", parentUid: "k8sfv" } });
    await call("POST", "/api/dashboards/db", {
      body: { dashboard: { title: "D", uid: "d" }, folderUid: "inner" },
    });
    const renamed = await call("PUT", "/api/folders/k8sfv", { body: { title: "Other", overwrite: true } });
    expect(renamed.body).toMatchObject({ title: "Other", version: 2 });
    expect((await call("POST", "/api/folders/k8sfv/move", { body: { parentUid: "inner" } })).status).toBe(
      400,
    );
    expect((await call("GET", "/api/folders")).body).toEqual([{ id: 1, uid: "k8sfv", title: "Other" }]);
    const deleted = await call("DELETE", "/api/folders/k8sfv?forceDeleteRules=true");
    expect(deleted).toMatchObject({ status: 200, body: { title: "Other", message: "Folder Other deleted" } });
    for (const path of ["/api/folders/k8sfv", "/api/folders/inner", "/api/dashboards/uid/d"]) {
      expect(await call("GET", path)).toMatchObject({ status: 404, body: { status: "not-found" } });
    }
  });

  test("with an existing UID, and updates of another version, are rejected with 412", async () => {
    const { call } = openApi();
    await call("POST", "/api/folders", { body: { title: "k8sfv", uid: "k8sfv" } });
    const again = await call("POST", "/api/folders", { body: { title: "Another", uid: "k8sfv" } });
    expect(again).toMatchObject({ status: 412, body: { status: "version-mismatch" } });
    const update = await call("PUT", "/api/folders/k8sfv", { body: { title: "Other", version: 9 } });
    expect(update.status).toBe(412);
    expect((await call("POST", "/api/folders", { body: { title: " " } })).status).toBe(400);
  });
});

describe("dashboards", () => {
  const dashboard = { title: "k8sfv summary", uid: "k8sfv-summary", tags: ["k8sfv"], panels: [{ id: 1 }] };

  test("are stored unchanged, with an ID and a version", async () => {
    const { call } = openApi();
    await call("POST", "/api/folders", { body: { title: "k8sfv", uid: "k8sfv" } });
    const saved = await call("POST", "/api/dashboards/db", { body: { dashboard, folderUid: "k8sfv" } });
    expect(saved).toMatchObject({
      status: 200,
      body: {
        id: 1,
        uid: "k8sfv-summary",
        status: "success",
        url: "/d/k8sfv-summary/k8sfv-summary",
        version: 1,
      },
    });
    const { body } = await call("GET", "/api/dashboards/uid/k8sfv-summary");
    expect(body).toMatchObject({
      dashboard: { ...dashboard, id: 1, version: 1 },
      meta: { folderUid: "k8sfv", folderTitle: "k8sfv", version: 1, createdBy: "admin", provisioned: false },
    });
  });

  test("are replaced only with the current version or `overwrite`", async () => {
    const { call } = openApi();
    const save = (more: object, fields: object = {}) =>
      call("POST", "/api/dashboards/db", { body: { dashboard: { ...dashboard, ...fields }, ...more } });
    await save({});
    expect(await save({})).toMatchObject({ status: 412, body: { status: "version-mismatch" } });
    expect((await save({}, { version: 1 })).body).toMatchObject({ version: 2 });
    expect((await save({}, { version: 1 })).status).toBe(412);
    expect((await save({ overwrite: true })).body).toMatchObject({ id: 1, version: 3 });
  });

  test("are rejected without a title, in a missing folder, or with an unknown ID", async () => {
    const { call } = openApi();
    const save = (body: object) => call("POST", "/api/dashboards/db", { body });
    expect(await save({ dashboard: { uid: "x" } })).toMatchObject({
      status: 400,
      body: { status: "empty-name" },
    });
    expect((await save({ dashboard, folderUid: "none" })).body).toMatchObject({
      message: "folder not found",
    });
    expect((await save({ dashboard: { ...dashboard, id: 9 } })).status).toBe(404);
    expect((await save({ dashboard: { ...dashboard, uid: "a/b" } })).status).toBe(400);
    expect((await save({ dashboard: "text" })).status).toBe(400);
  });

  test("have versions, which can be restored", async () => {
    const { call } = openApi();
    const save = (title: string) =>
      call("POST", "/api/dashboards/db", {
        body: { dashboard: { ...dashboard, title }, overwrite: true, message: `To ${title}` },
      });
    await save("First");
    await save("Second");
    const { body: history } = await call("GET", "/api/dashboards/uid/k8sfv-summary/versions");
    expect(history).toMatchObject({ versions: [{ version: 2, message: "To Second" }, { version: 1 }] });
    const { body: first } = await call("GET", "/api/dashboards/uid/k8sfv-summary/versions/1");
    expect(first).toMatchObject({ version: 1, data: { title: "First" } });
    await call("POST", "/api/dashboards/uid/k8sfv-summary/restore", { body: { version: 1 } });
    const { body } = await call("GET", "/api/dashboards/uid/k8sfv-summary");
    expect(body).toMatchObject({ dashboard: { title: "First", version: 3 } });
  });

  test("are found by title, tag, type and folder until they are deleted", async () => {
    const { call } = openApi();
    await call("POST", "/api/folders", { body: { title: "Night", uid: "night" } });
    await call("POST", "/api/dashboards/db", { body: { dashboard, folderUid: "night" } });
    await call("POST", "/api/dashboards/db", { body: { dashboard: { title: "By hand", uid: "hand" } } });
    const uids = async (query: string) => {
      const { body } = await call("GET", `/api/search?${query}`);
      return (body as { uid: string }[]).map(({ uid }) => uid);
    };
    expect(await uids("")).toEqual(["night", "hand", "k8sfv-summary"]);
    expect(await uids("query=SUMM")).toEqual(["k8sfv-summary"]);
    expect(await uids("tag=k8sfv")).toEqual(["k8sfv-summary"]);
    expect(await uids("type=dash-folder")).toEqual(["night"]);
    expect(await uids("folderUIDs=night")).toEqual(["k8sfv-summary"]);
    expect(await uids("type=dash-db&limit=1&page=2")).toEqual(["k8sfv-summary"]);
    const { body } = await call("DELETE", "/api/dashboards/uid/k8sfv-summary");
    expect(body).toMatchObject({ title: "k8sfv summary", message: "Dashboard k8sfv summary deleted" });
    expect(await uids("tag=k8sfv")).toEqual([]);
  });
});

describe("annotations", () => {
  test("are found by tag, time and dashboard, changed and deleted", async () => {
    const { call } = openApi();
    await call("POST", "/api/dashboards/db", { body: { dashboard: { title: "D", uid: "d" } } });
    const add = (body: object) => call("POST", "/api/annotations", { body });
    expect(await add({ text: "upgrade", tags: ["upgrade", "prom"], time: 1000 })).toMatchObject({
      status: 200,
      body: { id: 1, message: "Annotation added" },
    });
    await add({ text: "run", time: 5000, timeEnd: 6000, dashboardUID: "d", panelId: 3 });
    const texts = async (query: string) => {
      const { body } = await call("GET", `/api/annotations?${query}`);
      return (body as { text: string }[]).map(({ text }) => text);
    };
    expect(await texts("")).toEqual(["run", "upgrade"]);
    expect(await texts("tags=upgrade&tags=prom")).toEqual(["upgrade"]);
    expect(await texts("tags=upgrade&tags=none")).toEqual([]);
    expect(await texts("tags=upgrade&tags=none&matchAny=true")).toEqual(["upgrade"]);
    expect(await texts("from=5500&to=9000")).toEqual(["run"]);
    expect(await texts("dashboardUID=d&panelId=3")).toEqual(["run"]);
    await call("PATCH", "/api/annotations/1", { body: { text: "upgraded" } });
    expect((await call("GET", "/api/annotations/1")).body).toMatchObject({
      text: "upgraded",
      tags: ["upgrade", "prom"],
    });
    expect((await call("DELETE", "/api/annotations/1")).status).toBe(200);
    expect((await call("GET", "/api/annotations/1")).status).toBe(404);
    expect((await add({ text: "" })).status).toBe(400);
  });
});

test("keeps all data across a restart", async () => {
  const dir = scratchDir();
  const first = openApi({}, dir);
  await first.call("POST", "/api/dashboards/db", { body: { dashboard: { title: "Kept", uid: "kept" } } });
  first.close();
  const second = openApi({ GF_SECURITY_ADMIN_PASSWORD: "not read again" }, dir);
  const { body } = await second.call("GET", "/api/dashboards/uid/kept");
  expect(body).toMatchObject({ dashboard: { title: "Kept" } });
});
