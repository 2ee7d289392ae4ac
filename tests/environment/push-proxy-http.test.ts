import { once } from "node:events";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { basic, type PushProxyProcess, startPushProxy, until } from "./push-proxy-process.ts";

describe("the push proxy", () => {
  let proxy: PushProxyProcess;

  beforeAll(async () => {
    proxy = await startPushProxy({ credentials: "ci:secret", push: 200_000 });
  });
  beforeEach(() => {
    proxy.gateway.fault = () => undefined;
  });
  afterAll(() => proxy.close());

  const ask = async (path: string, authorization = "", init: RequestInit = {}) =>
    fetch(`${proxy.url}${path}`, { ...init, headers: { authorization } });

  test("requires the password for pushes, deletions and its own metrics, not for probes", async () => {
    const changes = proxy.gateway.changes.length;
    for (const wrong of ["", basic("ci:wrong"), "Bearer secret"]) {
      const refused = await ask("/metrics/job/a", wrong, { method: "PUT", body: "a_metric 1\n" });
      expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, "Basic"]);
      expect((await ask("/metrics/job/a", wrong, { method: "DELETE" })).status).toBe(401);
      expect((await ask("/-/push-proxy/metrics", wrong)).status).toBe(401);
      expect((await ask("/-/push-proxy/healthy", wrong)).status).toBe(200);
      expect((await ask("/-/ready", wrong)).status).toBe(200);
    }
    expect(proxy.gateway.changes.length).toBe(changes);
    // RFC 7617: the name of the scheme is case-insensitive.
    const right = basic("ci:secret").replace("Basic", "basic");
    expect((await ask("/metrics/job/a", right, { method: "PUT", body: "a_metric 1\n" })).status).toBe(202);
  });

  test("reads no large body of a client without the password", async () => {
    const body = "#".repeat(300_000);
    expect((await ask("/metrics/job/a", "", { method: "PUT", body })).status).toBe(401);
    expect((await ask("/metrics/job/a", basic("ci:secret"), { method: "PUT", body })).status).toBe(413);
  });

  test("forwards reads to the Pushgateway with the client's password", async () => {
    await proxy.push("job/read", "read_metric 1\n");
    const allowed = await ask("/metrics", basic("ci:secret"));
    expect([allowed.status, await allowed.text()]).toEqual([200, proxy.gateway.page()]);
    expect((await ask("/metrics")).status).toBe(401);
  });

  test("ends the response to a read with an error if the Pushgateway ends in the middle of it", async () => {
    proxy.gateway.fault = ({ method }) => (method === "GET" ? "half" : undefined);
    const cut = await ask("/metrics", basic("ci:secret"));
    await expect(cut.text()).rejects.toThrow("terminated");
    expect((await ask("/-/push-proxy/healthy")).status).toBe(200);
  });

  test("rejects pushes with 503 while eight large ones wait, and accepts small ones", async () => {
    const text = Array.from({ length: 6_000 }, (_, at) => `a_metric{number="${at}"} 1\n`).join("");
    const headers = { "content-encoding": "gzip" };
    let isHanging = true;
    proxy.gateway.fault = ({ path }) => (isHanging && path.includes("/large-") ? "drop" : undefined);
    const pushes = Array.from({ length: 9 }, (_, at) =>
      proxy.push(`job/large-${at}`, gzipSync(text), { headers }),
    );
    const refused = await Promise.race(pushes);
    expect([refused.status, refused.text]).toEqual([503, expect.stringContaining("too many large pushes")]);
    expect((await proxy.push("job/small", "a_metric 1\n")).status).toBe(202);
    isHanging = false;
    const statuses = (await Promise.all(pushes)).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([...Array.from({ length: 8 }, () => 202), 503]);
    // The completed large pushes no longer count towards the limit of eight.
    for (let at = 0; at < 9; at += 1)
      expect((await proxy.push("job/large-0", gzipSync(text), { headers })).status).toBe(202);
  });

  test("rejects headers that are too large with 431", async () => {
    const response = await fetch(`${proxy.url}/metrics/job/a`, { headers: { long: "x".repeat(70_000) } });
    expect(response.status).toBe(431);
  });
});

describe("the push proxy's own metrics", () => {
  let proxy: PushProxyProcess;

  beforeAll(async () => {
    proxy = await startPushProxy();
  });
  afterAll(() => proxy.close());

  const counts = async () =>
    Object.fromEntries(
      Object.entries(await proxy.metrics()).flatMap(([name, value]) => {
        const [, code] = /^push_proxy_pushes_total\{code="(\d+)"\}$/.exec(name) ?? [];
        return code === undefined ? [] : [[code, value]];
      }),
    );
  const none = { 202: 0, 400: 0, 401: 0, 404: 0, 408: 0, 413: 0, 431: 0, 503: 0, 504: 0, 507: 0 };

  test("count pushes by status from 0 on, and neither deletions nor connections that aren't pushes", async () => {
    expect(await counts()).toEqual(none);
    for (const value of [1, 2, 3]) await proxy.push("job/a", `a_metric ${value}\n`);
    await proxy.push("job/a", "not a metric at all\n");
    await proxy.push("job/a", "", { method: "DELETE" });
    await fetch(proxy.url, { headers: { long: "x".repeat(70_000) } });
    const socket = connect(Number(new URL(proxy.url).port), "127.0.0.1");
    socket.resume().write("\x16\x03\x01 a TLS client\r\n\r\n");
    await new Promise((resolve) => socket.on("close", resolve));
    expect(await counts()).toEqual({ ...none, 202: 3, 400: 1, 431: 1 });
  });

  test("report whether the Pushgateway's metrics are valid, checked when the Pushgateway starts", async () => {
    const valid = async () => (await proxy.metrics()).push_proxy_exposition_valid;
    await until(async () => (await valid()) === 1);
    const page = proxy.gateway.page();
    for (const invalid of [page.slice(0, -30), `a"metric 1\n${page}`]) {
      await proxy.gateway.kill();
      proxy.gateway.page = () => invalid;
      await proxy.gateway.start();
      await until(async () => (await valid()) === 0);
      await proxy.gateway.kill();
      proxy.gateway.page = () => page;
      await proxy.gateway.start();
      await until(async () => (await valid()) === 1);
    }
    await proxy.gateway.kill();
    proxy.gateway.fault = ({ path }) => (path === "/metrics" ? 500 : undefined);
    await proxy.gateway.start();
    await until(async () => (await valid()) === 0);
  });
});

test("on SIGTERM, the push proxy responds to waiting pushes, ends the canary and exits", async () => {
  const proxy = await startPushProxy();
  expect((await proxy.push("job/a", "a_metric 1\n")).status).toBe(202);
  proxy.gateway.writes = false;
  const waiting = proxy.push("job/a", "a_metric 2\n");
  await until(() => proxy.gateway.samplesOf("a_metric").includes("a_metric 2"));
  await proxy.gateway.kill();
  const started = Date.now();
  expect(await proxy.terminate()).toBe(0);
  // The proxy must exit before the waiting push times out, after 20 s.
  expect(Date.now() - started).toBeLessThan(15_000);
  const { status, headers } = await waiting;
  expect([status, headers.get("connection")]).toEqual([503, "close"]);
  // The killed process may still accept a connection for a moment.
  await until(async () => {
    const [error] = (await once(connect(proxy.canaryPort, "127.0.0.1"), "error")) as [NodeJS.ErrnoException];
    return error.code === "ECONNREFUSED";
  });
  await proxy.close();
});
