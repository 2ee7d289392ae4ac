import { describe, expect, test } from "vitest";
import { readSettings } from "./core/settings.ts";
import { openApi } from "./testing.ts";

describe("basic auth", () => {
  test("accepts only the administrator that the environment variables name", async () => {
    const { call } = openApi({ GF_SECURITY_ADMIN_USER: "root", GF_SECURITY_ADMIN_PASSWORD: "p:ss" });
    expect((await call("GET", "/api/org", { as: "root:p:ss" })).body).toMatchObject({
      id: 1,
      name: "Main Org.",
    });
    const wrong = await call("GET", "/api/org", { as: "root:other" });
    expect(wrong).toMatchObject({ status: 401, body: { message: "Invalid username or password" } });
    expect((await call("GET", "/api/org", { as: "nobody:p:ss" })).status).toBe(401);
    const none = await call("GET", "/api/org", { as: null });
    expect(none).toMatchObject({ status: 401, body: { message: "Unauthorized" } });
    const token = await call("GET", "/api/org", { as: null, headers: { Authorization: "Bearer glsa_x" } });
    expect(token).toMatchObject({ status: 401, body: { message: "Invalid API key" } });
  });

  test("is rejected even with the right password after five wrong ones", async () => {
    const { call } = openApi();
    for (let n = 0; n < 5; n++) await call("GET", "/api/org", { as: "admin:wrong" });
    expect((await call("GET", "/api/org")).status).toBe(401);
  });

  test("counts wrong passwords from zero after a right one", async () => {
    const { call } = openApi();
    for (let n = 0; n < 4; n++) await call("GET", "/api/org", { as: "admin:wrong" });
    expect((await call("GET", "/api/org")).status).toBe(200);
    await call("GET", "/api/org", { as: "admin:wrong" });
    expect((await call("GET", "/api/org")).status).toBe(200);
  });
});

test("health, metrics and pages require no authentication; the version can be hidden", async () => {
  const { call } = openApi({ GF_AUTH_ANONYMOUS_HIDE_VERSION: "true" });
  const { status, body } = await call("GET", "/api/health", { as: null });
  expect(status).toBe(200);
  expect(body).toEqual({ database: "ok", standIn: expect.stringContaining("not Grafana") as unknown });
  expect((await openApi().call("GET", "/api/health", { as: null })).body).toHaveProperty("version");
  await call("GET", "/api/dashboards/uid/none");
  const metrics = await call("GET", "/metrics", { as: null });
  expect(metrics.body).toContain('edition="stand-in"');
  expect(metrics.body).toMatch(/process_resident_memory_bytes \d+/);
  expect(metrics.body).toMatch(
    /grafana_http_request_duration_seconds_count\{handler="\/api\/dashboards\/uid\/:uid",method="GET",status_code="404"\} 1/,
  );
  const page = await call("GET", "/d/k8sfv-summary/k8sfv-summary?var-code_level=master", { as: null });
  expect(page.status).toBe(200);
  expect(page.body).toContain("not Grafana");
});

describe("anonymous viewers", () => {
  test("can read dashboards and annotations, but not write, and not read data sources or users", async () => {
    const { call } = openApi({ GF_AUTH_ANONYMOUS_ENABLED: "true" });
    await call("POST", "/api/dashboards/db", { body: { dashboard: { title: "D", uid: "d" } } });
    const as = null;
    const { body: seen } = await call("GET", "/api/dashboards/uid/d", { as });
    expect(seen).toMatchObject({ meta: { canSave: false, canEdit: false } });
    expect((await call("GET", "/api/search", { as })).body).toHaveLength(1);
    expect((await call("GET", "/api/annotations", { as })).status).toBe(200);
    expect((await call("GET", "/api/user", { as })).status).toBe(401);
    const writes: [string, string, object?][] = [
      ["POST", "/api/dashboards/db", { dashboard: { title: "E" } }],
      ["DELETE", "/api/dashboards/uid/d"],
      ["POST", "/api/folders", { title: "F" }],
      ["POST", "/api/datasources", { name: "x", type: "prometheus" }],
      ["GET", "/api/datasources"],
      ["POST", "/api/annotations", { text: "x" }],
      ["POST", "/api/admin/users", { login: "x", password: "xxxx" }],
      ["GET", "/api/users"],
    ];
    for (const [method, path, body] of writes) {
      const answer = await call(method, path, { as, body });
      expect(answer, `${method} ${path}`).toMatchObject({ status: 403, body: { title: "Access denied" } });
    }
  });

  test("are rejected with a wrong password", async () => {
    const { call } = openApi({ GF_AUTH_ANONYMOUS_ENABLED: "true" });
    expect((await call("GET", "/api/search", { as: "admin:wrong" })).status).toBe(401);
  });
});

describe("a session", () => {
  test("starts with the right password, ends with a logout, and has an HttpOnly cookie", async () => {
    const { call } = openApi({ GF_SECURITY_COOKIE_SECURE: "true", GF_SECURITY_COOKIE_SAMESITE: "strict" });
    const as = null;
    expect((await call("POST", "/login", { as, body: { user: "admin", password: "no" } })).status).toBe(401);
    const login = await call("POST", "/login", { as, body: { user: "admin", password: "admin" } });
    const set = login.headers.get("Set-Cookie") ?? "";
    expect(set).toMatch(/^grafana_session=[\w-]{43}; /);
    for (const attribute of ["HttpOnly", "Secure", "SameSite=Strict", "Path=/"])
      expect(set).toContain(attribute);
    const Cookie = set.split(";")[0] ?? "";
    const user = await call("GET", "/api/user", { as, headers: { Cookie } });
    expect(user.body).toMatchObject({ login: "admin", isGrafanaAdmin: true });
    await call("GET", "/logout", { as, headers: { Cookie } });
    expect((await call("GET", "/api/user", { as, headers: { Cookie } })).status).toBe(401);
  });

  test("is rejected in requests from another site's page", async () => {
    const { call } = openApi();
    const as = null;
    const { headers } = await call("POST", "/login", { as, body: { user: "admin", password: "admin" } });
    const Cookie = headers.get("Set-Cookie")?.split(";")[0] ?? "";
    const add = (Origin: string) =>
      call("POST", "/api/folders", { as, body: { title: "F" }, headers: { Cookie, Origin } });
    expect(await add("http://evil.example")).toMatchObject({
      status: 403,
      body: { message: "origin not allowed" },
    });
    expect((await add("http://localhost")).status).toBe(200);
  });
});

describe("accounts", () => {
  const reader = { login: "reader", name: "Reader", password: "only-for-this-test" };

  test("are created as viewers, found, assigned a role and deleted", async () => {
    const { call } = openApi();
    expect(await call("POST", "/api/admin/users", { body: reader })).toMatchObject({
      status: 200,
      body: { id: 2 },
    });
    expect((await call("POST", "/api/admin/users", { body: reader })).status).toBe(412);
    const found = await call("GET", "/api/users/lookup?loginOrEmail=reader");
    expect(found.body).toMatchObject({ id: 2, login: "reader", isGrafanaAdmin: false });
    expect(JSON.stringify(found.body)).not.toContain("scrypt");
    const as = "reader:only-for-this-test";
    const folder = { title: "F" };
    expect((await call("POST", "/api/folders", { as, body: folder })).status).toBe(403);
    await call("PATCH", "/api/org/users/2", { body: { role: "Editor" } });
    expect((await call("POST", "/api/folders", { as, body: folder })).status).toBe(200);
    await call("DELETE", "/api/admin/users/2");
    expect((await call("GET", "/api/org", { as })).status).toBe(401);
  });

  test("can change their own password, which ends their sessions", async () => {
    const { call } = openApi();
    await call("POST", "/api/admin/users", { body: reader });
    const as = "reader:only-for-this-test";
    const change = { oldPassword: "only-for-this-test", newPassword: "another-one" };
    expect(
      (await call("PUT", "/api/user/password", { as, body: { ...change, newPassword: "x" } })).status,
    ).toBe(400);
    expect((await call("PUT", "/api/user/password", { as, body: change })).status).toBe(200);
    expect((await call("GET", "/api/org", { as })).status).toBe(401);
    expect((await call("GET", "/api/org", { as: "reader:another-one" })).status).toBe(200);
  });
});

test("reports all invalid settings in one error message", () => {
  const wrong = { GF_SERVER_HTTP_PORT: "x", GF_AUTH_ANONYMOUS_ENABLED: "yes" };
  expect(() => openApi(wrong)).toThrow(/GF_SERVER_HTTP_PORT: .*GF_AUTH_ANONYMOUS_ENABLED: /);
});

test("hashes passwords with at least Node's default cost outside these tests", () => {
  expect(readSettings({}, "/").scryptCost).toBeGreaterThanOrEqual(2 ** 14);
});
