import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SCRAPES } from "./fake-pushgateway.ts";
import { type PushProxyProcess, startPushProxy } from "./push-proxy-process.ts";

/**
 * Tests how the push proxy uses its canary, a second Pushgateway to which it sends each push first. Here, the canary is
 * a fake (fake-canary.ts), and the name of a pushed metric selects how the fake fails.
 * tests/environment/push-rule.test.ts tests which pushes make the real Pushgateway fail.
 */
describe("the push proxy tries each push on the canary:", () => {
  let proxy: PushProxyProcess;

  beforeAll(async () => {
    proxy = await startPushProxy({ push: 100_000 });
    expect((await proxy.push("job/other", "a_metric 1\n")).status).toBe(202);
  });
  afterAll(() => proxy.close());

  const starts = async () => (await proxy.metrics()).push_proxy_canary_starts_total;

  test("one canary serves accepted, rejected and posted pushes, and deletions", async () => {
    await proxy.push("job/a", "a_metric 1\n");
    const before = await starts();
    const groups = Array.from({ length: 8 }, (_, at) => `job/many/instance/${at}`);
    const answers = await Promise.all(groups.map((group) => proxy.push(group, "a_metric 1\n")));
    expect(answers.map(({ status }) => status)).toEqual(groups.map(() => 202));
    expect((await proxy.push("job/a", "not a metric at all\n")).status).toBe(400);
    expect((await proxy.push("job/a", "b_metric 1\n", { method: "POST" })).status).toBe(202);
    expect((await proxy.push("job/a", "", { method: "DELETE" })).status).toBe(202);
    expect((await proxy.push("job/a", "a_metric 1\n")).status).toBe(202);
    expect(await starts()).toBe(before);
  });

  test.each([
    ["ends it", "exits 1\n"],
    ["makes it respond with 500", "fails 1\n"],
    ["needs more memory than it has", "needs_memory 1\n"],
    ["cuts its metrics off", "is_truncated 1\n"],
    ["makes its metrics unreadable", "page_fails 1\n"],
  ])("a push that %s is rejected, and doesn't reach the Pushgateway", async (_, body) => {
    const changes = proxy.gateway.changes.length;
    const { status, text } = await proxy.push("job/bad", body);
    expect(status).toBe(400);
    expect(text).toContain("Not stored: the push would end the Pushgateway");
    expect(proxy.gateway.changes.length).toBe(changes);
    expect((await proxy.push("job/other", "a_metric 2\n")).status).toBe(202);
  });

  test("a push is tried again if something else killed the canary", async () => {
    expect((await proxy.push("job/killed", "is_killed_twice 1\n")).status).toBe(202);
  });

  test("a push is rejected if five new canaries in a row are killed", async () => {
    const before = Number(await starts());
    expect((await proxy.push("job/killed", "is_killed_always 1\n")).status).toBe(400);
    expect(Number(await starts()) - before).toBeLessThanOrEqual(6);
  });

  test("a push is tried again on a new canary if the canary ended because of an earlier push", async () => {
    expect((await proxy.push("job/other", "a_metric 3\n")).status).toBe(202);
    expect((await proxy.push("job/innocent", "exits_if_used 1\n")).status).toBe(202);
  });

  test("a POST is stored if the canary ends while the sizes of its families are read", async () => {
    const post = await proxy.push("job/posted", "exits_in_second_trial 1\n", { method: "POST" });
    expect(post.status).toBe(202);
    expect((await proxy.push("job/other", "a_metric 4\n")).status).toBe(202);
  });

  test("the first push on a canary is rejected too if it conflicts with a metric that the Pushgateway exposes only later", async () => {
    const fresh = await startPushProxy();
    const { status } = await fresh.push("job/bad", `# TYPE ${SCRAPES} gauge\n${SCRAPES} 1\n`);
    expect(status).toBe(400);
    expect(fresh.gateway.changes).toEqual([]);
    await fresh.close();
  });

  test("the canary doesn't get the proxy's environment, which contains the password", async () => {
    const closed = await startPushProxy({ credentials: "ci:secret" });
    expect((await closed.push("job/a", "has_secret 1\n")).status).toBe(202);
    await closed.close();
  });

  test("a compressed push is rejected with 413 if it is too large as text", async () => {
    const body = gzipSync(`${"# ".padEnd(1_000, "x")}\n`.repeat(10) + "a_metric 1\n");
    const gzip = { "content-encoding": "gzip" };
    expect((await proxy.push("job/gzip", body, { headers: gzip })).status).toBe(202);
    const lines = Array.from({ length: 10_000 }, (_, at) => `a_metric{number="${at}",of="compressed"} 1\n`);
    const { status, text } = await proxy.push("job/gzip", gzipSync(lines.join("")), { headers: gzip });
    expect(status).toBe(413);
    expect(text).toContain("as text");
    expect((await proxy.push("job/gzip", "no gzip", { headers: gzip })).status).toBe(400);
  });

  test.each([
    ["job/a/./b/c", 400, "is a variable in the URL empty"],
    ["job/a/branch//x/y", 400, "Leave the label out"],
    ["job/a/branch/f%FCr", 400, "percent-encoding"],
    ["../-/no-group", 404, "none of a group"],
  ])("a push to the path /metrics/%s gets the status %d and an explanation", async (path, expected, said) => {
    const changes = proxy.gateway.changes.length;
    const { status, text } = await pushRaw(`/metrics/${path}`.replace("/metrics/..", ""));
    expect(status).toBe(expected);
    expect(text).toContain(said);
    expect(proxy.gateway.changes.length).toBe(changes);
  });

  /** Pushes to a path that `fetch` would normalize. */
  async function pushRaw(path: string): Promise<{ status: number; text: string }> {
    const { request } = await import("node:http");
    const { hostname, port } = new URL(proxy.url);
    return new Promise((resolve, reject) => {
      const sent = request({ hostname, port, path, method: "PUT" }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, text });
        });
      });
      sent.on("error", reject).end("a_metric 1\n");
    });
  }

  test("a push to a path with two slashes is stored like one with a single slash", async () => {
    const response = await fetch(`${proxy.url}//metrics/job/slashes`, {
      method: "PUT",
      body: "slashes_metric 1\n",
    });
    expect(response.status).toBe(202);
    expect(proxy.gateway.samplesOf("slashes_metric")).toEqual(["slashes_metric 1"]);
  });
});
