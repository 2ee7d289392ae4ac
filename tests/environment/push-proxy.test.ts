import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { execa } from "execa";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ensureToolchain } from "k8sfv-local-cloud/toolchain";
import { startGateway, untilReady, type GatewayProcess } from "./gateway-process.ts";
import { held, lost, push, pushUntil } from "./pushes.ts";

const limits = { push: 1_000_000, store: 4_000_000 };

/**
 * Tests the push proxy with the real Pushgateway, as processes on this computer. The proxy also flushes data to the
 * disk so that it survives a crash of the whole computer, but these tests don't prove that.
 */
describe("the durable push proxy", () => {
  let binary: string;
  let dir: string;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    binary = (await ensureToolchain({ only: ["pushgateway"] })).path("pushgateway");
  });
  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), "k8sfv-push-"));
    gateway = await startGateway(binary, dir, { limits });
  });
  afterEach(async () => {
    await gateway.close();
    await rm(dir, { recursive: true });
  });

  it("loses no accepted push when the Pushgateway is killed repeatedly", async () => {
    let over = false;
    const pushing = pushUntil(gateway.url, 8, () => over);
    for (let kills = 0; kills < 30; kills += 1) {
      await sleep(20 + Math.random() * 200);
      await gateway.crash();
    }
    over = true;
    const pushes = await pushing;
    await gateway.crash();
    await untilReady(gateway.url);
    expect(lost(pushes, await held(gateway.url))).toEqual([]);
    // The proxy held the pushes while the Pushgateway was down, so none was rejected.
    expect([...pushes.answers.keys()]).toEqual([202]);
    expect(pushes.accepted.size).toBe(8);
  });

  it("responds to each push within 5 s while four clients push", async () => {
    const until = Date.now() + 15_000;
    const pushes = await pushUntil(gateway.url, 4, () => Date.now() > until, { apart: false, pauseMs: 100 });
    expect([...pushes.answers.keys()]).toEqual([202]);
    expect(pushes.slowestMs).toBeLessThan(5_000);
  });

  it("exits on SIGTERM while clients push, and loses no accepted push", async () => {
    let over = false;
    const pushing = pushUntil(gateway.url, 8, () => over);
    await sleep(1_000);
    const asked = Date.now();
    await gateway.terminate();
    // The proxy exits long before the timeout of a push or the grace period of its pod ends.
    expect(Date.now() - asked).toBeLessThan(20_000);
    over = true;
    const pushes = await pushing;
    const next = await startGateway(binary, dir, { limits });
    const there = await held(next.url);
    await next.close();
    expect(lost(pushes, there)).toEqual([]);
    expect(pushes.accepted.size).toBe(8);
  });

  it("responds to a push only after the Pushgateway has written it", async () => {
    expect(await push(gateway.url, "first", 1)).toBe(202);
    gateway.pause(true);
    let answered = false;
    const second = push(gateway.url, "first", 2).then((status) => {
      answered = true;
      return status;
    });
    await sleep(1_000);
    expect(answered).toBe(false);
    gateway.pause(false);
    expect(await second).toBe(202);
  });

  it("does not let an aborted push replace a later one", async () => {
    const instances = Array.from({ length: 20 }, (_, at) => `again-${at}`);
    const given = new AbortController();
    const pushAll = (value: number, pathOf: (instance: string) => string, signal?: AbortSignal) =>
      Promise.all(
        instances.map(async (instance) => {
          const body = `# TYPE pushed_value gauge\npushed_value ${value}\n`;
          const url = `${gateway.url}/metrics/job/pushes/${pathOf(instance)}`;
          return (await fetch(url, { method: "PUT", body, signal }).catch(() => undefined))?.status ?? 0;
        }),
      );
    await gateway.stop();
    const first = pushAll(1, (instance) => `instance/${instance}/zone/here`, given.signal);
    await sleep(300);
    given.abort();
    expect([...new Set(await first)]).toEqual([0]);
    // These are the same groups with labels in another order, because Go's client sends them in random order.
    const later = pushAll(2, (instance) => `zone/here/instance/${instance}`);
    await sleep(300);
    await gateway.crash();
    expect([...new Set(await later)]).toEqual([202]);
    // Waits until the proxy would have stored the aborted pushes.
    await sleep(1_000);
    expect([...(await held(gateway.url)).values()]).toEqual(instances.map(() => 2));
  });

  it("rejects pushes with 503 within 30 s while the disk hangs", async () => {
    const pipe = path.join(dir, "pipe");
    await execa("mkfifo", [pipe]);
    // Nothing writes to the pipe, so opening it never finishes.
    const hanging = await startGateway(binary, dir, { limits, proxyFile: pipe });
    const started = Date.now();
    expect(await Promise.all([1, 2].map((at) => push(hanging.url, `hanging-${at}`, 1)))).toEqual([503, 503]);
    expect(Date.now() - started).toBeLessThan(30_000);
    await hanging.close();
  });

  it("accepts concurrent pushes while the Pushgateway is nearly full", async () => {
    const full = await startGateway(binary, dir, { limits: { push: 4 * 2 ** 20, store: 16 * 2 ** 20 } });
    const lines = Array.from({ length: 20_000 }, (_, at) => `a_metric{number="${at}",of="full"} 1\n`).join(
      "",
    );
    const size = async () => (await stat(path.join(dir, "metrics")).catch(() => undefined))?.size ?? 0;
    for (let at = 0; (await size()) < 12 * 2 ** 20; at += 1) {
      const url = `${full.url}/metrics/job/full-${at}`;
      const body = lines.replaceAll("a_metric", `metric_${at}`);
      expect((await fetch(url, { method: "PUT", body })).status).toBe(202);
    }
    const until = Date.now() + 10_000;
    const pushes = await pushUntil(full.url, 32, () => Date.now() > until);
    console.log(`nearly full:`, pushes.answers, `slowest ${pushes.slowestMs} ms`);
    expect([...pushes.answers.keys()]).toEqual([202]);
    await full.close();
  });

  const put = async (
    body: string | Buffer,
    headers: Record<string, string> = {},
    job = "bad",
    method = "PUT",
  ) => {
    const url = `${gateway.url}/metrics/job/${job}`;
    const response = await fetch(url, { method, body: new Uint8Array(Buffer.from(body)), headers });
    return { status: response.status, text: await response.text() };
  };
  const line = "a_metric 1\n";

  it("rejects pushes that are too large, compressed or not, with a message", async () => {
    const large = "#".repeat(50_000_000);
    expect(await put(large)).toMatchObject({
      status: 413,
      text: expect.stringContaining("may have") as string,
    });
    const many = Array.from(
      { length: 20_000 },
      (_, at) => `a_metric{number="${at}",of="${"x".repeat(100)}"} 1\n`,
    ).join("");
    expect(await put(gzipSync(many), { "Content-Encoding": "gzip" })).toMatchObject({ status: 413 });
    expect(await put(gzipSync(line), { "Content-Encoding": "gzip" })).toMatchObject({ status: 202 });
    expect(await put("no gzip", { "Content-Encoding": "gzip" })).toMatchObject({ status: 400 });
  });

  it("limits its memory, however many clients push while the Pushgateway hangs", async () => {
    const large = await startGateway(binary, dir, { limits: { push: 4 * 2 ** 20, store: 64 * 2 ** 20 } });
    large.pause(true);
    const body = new Uint8Array(Buffer.alloc(4 * 2 ** 20, "#"));
    const over = new AbortController();
    const pushes = Array.from({ length: 100 }, (_, at) =>
      fetch(`${large.url}/metrics/job/large-${at}`, { method: "PUT", body, signal: over.signal }),
    );
    const all = Promise.allSettled(pushes);
    let most = 0;
    for (let times = 0; times < 40; times += 1) {
      most = Math.max(most, await large.proxyMemory());
      await sleep(100);
    }
    over.abort();
    await all;
    await large.close();
    console.log(`proxy: at most ${Math.round(most / 2 ** 20)} MiB`);
    // Half of the memory limit of the proxy's container; the other half is for the canary (components/push-proxy/canary.ts).
    // If the proxy held all bodies in memory, they would take 400 MiB.
    expect(most).toBeLessThan(256 * 2 ** 20);
  });

  it("reads no body of requests without the password", async () => {
    const closed = await startGateway(binary, dir, { limits, credentials: "ci:secret" });
    const ask = async (login: string | undefined, body: string, method = "PUT") => {
      const headers = login === undefined ? undefined : { Authorization: login };
      const response = await fetch(`${closed.url}/metrics/job/closed`, { method, body, headers });
      return response.status;
    };
    const right = Buffer.from("ci:secret").toString("base64");
    expect(await ask(undefined, line)).toBe(401);
    expect(await ask(`Basic ${Buffer.from("ci:wrong").toString("base64")}`, line)).toBe(401);
    // Not 413, because the body isn't read.
    expect(await ask(undefined, "#".repeat(2 * limits.push))).toBe(401);
    expect(await ask(`Basic ${right}`, line)).toBe(202);
    expect(await ask(`basic ${right}`, line)).toBe(202);
    await closed.close();
  });

  it.each(["gone", "hung"])(
    "rejects all waiting pushes with 503 within 40 s while the Pushgateway is %s",
    async (how) => {
      if (how === "gone") await gateway.stop();
      else gateway.pause(true);
      const started = Date.now();
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, at) => push(gateway.url, `waiting-${at}`, 1)),
      );
      expect([...new Set(answers)]).toEqual([503]);
      // The proxy starts no attempts after its timeout of 25 s. If the Pushgateway hangs, the last attempt takes up to
      // 10 s longer.
      expect(Date.now() - started).toBeGreaterThan(24_000);
      expect(Date.now() - started).toBeLessThan(how === "gone" ? 30_000 : 40_000);
    },
  );

  it("counts pushes by status in its own metrics, which work while the Pushgateway is down", async () => {
    const counts = async (): Promise<Record<string, number>> => {
      const text = await (await fetch(`${gateway.url}/-/push-proxy/metrics`)).text();
      const found = text.matchAll(/^push_proxy_pushes_total\{code="(\d+)"\} (\d+)$/gm);
      return Object.fromEntries([...found].map(([, code = "", count]) => [code, Number(count)]));
    };
    const none = { 202: 0, 400: 0, 401: 0, 404: 0, 408: 0, 413: 0, 431: 0, 503: 0, 504: 0, 507: 0 };
    expect(await counts()).toEqual(none);
    for (let value = 1; value <= 3; value += 1) expect(await push(gateway.url, "counted", value)).toBe(202);
    await gateway.stop();
    await put("no metric at all\n");
    await put("#".repeat(2 * limits.push));
    await put(line, { "X-Long": "x".repeat(70_000) }).catch(() => undefined);
    expect(await counts()).toEqual({ ...none, 202: 3, 400: 1, 413: 1, 431: 1 });
  });

  it("forwards error responses of the Pushgateway", async () => {
    const malformed = await put("no metric at all\n");
    expect(malformed.status).toBe(400);
    expect(malformed.text).toContain("text format parsing error");
    expect(await put("a_metric 1 1700000000000\n")).toMatchObject({ status: 400 });
    expect((await held(gateway.url)).size).toBe(0);
  });

  it("rejects pushes while the Pushgateway is full, until groups are deleted", async () => {
    const series = Array.from({ length: 9_000 }, (_, at) => `a_metric{number="${at}"} 1\n`).join("");
    let full = 0;
    for (; full < 50; full += 1) {
      if ((await put(series.replaceAll("a_metric", `metric_${full}`), {}, `full-${full}`)).status === 507)
        break;
    }
    const { size } = await stat(path.join(dir, "metrics"));
    expect(size).toBeGreaterThan(0.75 * limits.store);
    expect(size).toBeLessThan(limits.store);
    // A push that doesn't increase the size of the Pushgateway's file is still accepted, whether it replaces its group
    // or one metric family.
    expect(await put(series.replaceAll("a_metric", "metric_0"), {}, "full-0")).toMatchObject({ status: 202 });
    expect(await put(series.replaceAll("a_metric", "metric_1"), {}, "full-1", "POST")).toMatchObject({
      status: 202,
    });
    expect(await put(series.replaceAll("a_metric", "metric_2x"), {}, "full-2", "POST")).toMatchObject({
      status: 507,
    });
    for (let at = 0; at < full; at += 1) {
      const deleted = await fetch(`${gateway.url}/metrics/job/full-${at}`, { method: "DELETE" });
      expect(deleted.status).toBe(202);
    }
    expect(await push(gateway.url, "one-more", 1)).toBe(202);
  });
});
