import { createServer } from "node:http";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { freePort } from "../../lib/free-port.ts";
import { type PushProxyProcess, startPushProxy } from "./push-proxy-process.ts";

/** Lines of a metric that take about `kilobytes` kB in the Pushgateway's file. */
function lines(name: string, kilobytes: number): string {
  return Array.from({ length: kilobytes }, (_, at) => `${name}{filler="${at}${"x".repeat(950)}"} 1\n`).join(
    "",
  );
}

describe("if the Pushgateway is nearly full, the push proxy", () => {
  let proxy: PushProxyProcess;

  afterEach(() => proxy.close());

  test("rejects pushes that make a group larger with 507, and accepts all others", async () => {
    proxy = await startPushProxy({ store: 25_000 });
    for (const group of ["one", "two"]) {
      expect((await proxy.push(`job/${group}`, lines(`${group}_metric`, 10))).status).toBe(202);
    }
    const full = await proxy.push("job/three", lines("three_metric", 10));
    expect([full.status, full.text]).toEqual([507, expect.stringContaining("more than 25000 bytes")]);
    expect((await proxy.push("job/one", lines("one_metric", 20))).status).toBe(507);
    const post = { method: "POST" };
    expect((await proxy.push("job/one", lines("new_metric", 9), post)).status).toBe(507);
    // The next two pushes don't increase the size of their group.
    expect((await proxy.push("job/one", lines("one_metric", 10), post)).status).toBe(202);
    expect((await proxy.push("job/one", lines("new_metric", 9))).status).toBe(202);
    expect((await proxy.push("job/two", "", { method: "DELETE" })).status).toBe(202);
    expect((await proxy.push("job/three", lines("three_metric", 10))).status).toBe(202);
    expect((await proxy.metrics()).push_proxy_stored_bytes).toBeGreaterThan(19_000);
  });

  test("keeps the last tenth of the limit for pushes of at most 1 MiB", async () => {
    proxy = await startPushProxy({ push: 4_000_000, store: 3_000_000 });
    expect((await proxy.push("job/one", lines("one_metric", 1_350))).status).toBe(202);
    expect((await proxy.push("job/two", lines("two_metric", 1_350))).status).toBe(507);
    expect((await proxy.push("job/small", lines("small_metric", 900))).status).toBe(202);
    expect((await proxy.push("job/small2", lines("small2_metric", 550))).status).toBe(202);
  });

  test("knows the size of the file that it finds at its start, and accepts a push of the same size if it is too large", async () => {
    const labels = { instance: "", job: "full" };
    const own = `filler="${"x".repeat(20_000)}"`;
    const samples = [`full_metric{${own},instance="",job="full"} 1`];
    const families = { full_metric: { type: "untyped", help: "Help.", samples } };
    const groups = { 'instance="",job="full"': { labels, families, pushTime: 1 } };
    proxy = await startPushProxy({ store: 20_000, content: JSON.stringify(groups) });
    expect((await proxy.push("job/one", lines("one_metric", 1))).status).toBe(507);
    expect((await proxy.push("job/full", `full_metric{${own}} 2\n`)).status).toBe(202);
  });
});

describe("sizes of families", () => {
  async function importQuota() {
    vi.resetModules();
    for (const name of ["PORT", "GATEWAY_PORT", "CANARY_PORT", "MAX_PUSH_BYTES", "MAX_STORED_BYTES"])
      vi.stubEnv(`PUSH_PROXY_${name}`, "1000");
    for (const name of ["CANARY_PROGRAM", "FILE", "TIMEOUT_SECONDS"]) vi.stubEnv(`PUSH_PROXY_${name}`, "1");
    onTestFinished(() => {
      vi.unstubAllEnvs();
      vi.resetModules();
    });
    return {
      ...(await import("../../components/push-proxy/quota.ts")),
      ...(await import("../../components/push-proxy/http.ts")),
    };
  }

  /** Serves a response of the Pushgateway's API. */
  async function serve(groups: object[]): Promise<number> {
    const port = await freePort();
    const server = createServer((_, response) => {
      response.end(JSON.stringify({ status: "success", data: groups }));
    });
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return port;
  }

  test("are independent of push times, and leave out families that the Pushgateway and the proxy add", async () => {
    const group = (time: string) => ({
      labels: { job: time },
      last_push_successful: true,
      push_time_seconds: { time_stamp: time },
      push_failure_time_seconds: { time_stamp: time },
      push_proxy_stale_family: { time_stamp: time, metrics: [] },
      a_metric: { time_stamp: time, type: "GAUGE", metrics: [{ value: "1" }] },
    });
    const { familySizes, upstream } = await importQuota();
    const at = upstream(await serve([group("short"), group("much longer")]));
    const short = await familySizes(at, '{"job":"short"}');
    const long = await familySizes(at, '{"job":"much longer"}');
    at.agent.destroy();
    expect([...(short?.families.keys() ?? [])]).toEqual(["a_metric"]);
    expect(long?.families).toEqual(short?.families);
    expect(long?.labels).toBe('{"job":"much longer"}');
  });

  test("are undefined for a group that doesn't exist", async () => {
    const { familySizes, upstream } = await importQuota();
    const at = upstream(await serve([{ labels: { job: "a" } }]));
    expect(await familySizes(at, '{"job":"b"}')).toBeUndefined();
    at.agent.destroy();
  });

  test("are read again after a failed request", async () => {
    const { groupSizes, upstream } = await importQuota();
    await expect(groupSizes(upstream(await freePort()), '{"job":"a"}')).rejects.toThrow("ECONNREFUSED");
    const at = upstream(await serve([{ labels: { job: "a" } }]));
    expect(await groupSizes(at, '{"job":"a"}')).toEqual({ labels: '{"job":"a"}', families: new Map() });
    at.agent.destroy();
  });

  test("are found whatever characters the labels of other groups contain", async () => {
    const { groupsOf } = await importQuota();
    const groups = ['"', "\\", '\\"}', "{{", "}", "ä"].map((value) => ({
      labels: { job: value },
      a: { b: {} },
    }));
    const json = Buffer.from(JSON.stringify({ status: "success", data: groups }));
    expect([...groupsOf(json)].map((text) => JSON.parse(text) as unknown)).toEqual(groups);
  });
});
