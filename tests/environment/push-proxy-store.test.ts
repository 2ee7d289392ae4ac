import { execFileSync } from "node:child_process";
import { link, open, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Answer, type PushProxyProcess, startPushProxy, until } from "./push-proxy-process.ts";

/**
 * Tests the push proxy with a fake Pushgateway that fails at chosen moments. The real Pushgateway may behave
 * differently: tests/environment/push-proxy.test.ts tests the proxy with the real one.
 */
describe("the push proxy loses no push", () => {
  let proxy: PushProxyProcess;

  beforeAll(async () => {
    proxy = await startPushProxy();
    expect((await proxy.push("job/first", "a_metric 1\n")).status).toBe(202);
  });
  afterEach(() => {
    proxy.gateway.fault = () => undefined;
    proxy.gateway.beforeResponse = () => Promise.resolve();
    proxy.gateway.writes = true;
  });
  afterAll(() => proxy.close());

  /** Observes whether a push has its response yet. */
  function watch(push: Promise<Answer>) {
    const watched = { status: 0, push };
    void push.then(({ status }) => (watched.status = status));
    return watched;
  }

  /**
   * For each text, closes the connections of the first three pushes whose bodies contain it, so that they are not
   * stored.
   */
  function dropPushes(...texts: string[]): void {
    const dropped = new Map<string, number>();
    proxy.gateway.fault = ({ path, body }) => {
      const text = texts.find((one) => body.includes(one));
      const count = dropped.get(text ?? "") ?? 0;
      if (!path.startsWith("/metrics/job/") || text === undefined || count >= 3) return undefined;
      dropped.set(text, count + 1);
      return "drop";
    };
  }

  test("responds only after the Pushgateway's file contains the push, and flushes the file and its directory", async () => {
    proxy.gateway.writes = false;
    const flushes = proxy.flushed().length;
    const pushed = watch(proxy.push("job/written", "written_metric 1\n"));
    await until(() => proxy.gateway.samplesOf("written_metric").length > 0);
    await sleep(100);
    expect(pushed.status).toBe(0);
    proxy.gateway.writes = true;
    proxy.gateway.write();
    expect((await pushed.push).status).toBe(202);
    const paths = proxy.flushed().slice(flushes);
    expect(paths.some((path) => path.endsWith("/metrics"))).toBe(true);
    expect(paths.some((path) => !path.endsWith("/metrics"))).toBe(true);
  });

  test("doesn't count a file that was written before the push", async () => {
    proxy.gateway.writes = false;
    const first = watch(proxy.push("job/early", "early_metric 1\n"));
    const checkpoints = () => proxy.gateway.changes.filter((change) => change.endsWith("/push-proxy")).length;
    const before = checkpoints();
    await until(() => checkpoints() > before);
    const content = proxy.gateway.content();
    const second = watch(proxy.push("job/late", "late_metric 1\n"));
    await until(() => proxy.gateway.samplesOf("late_metric").length > 0);
    proxy.gateway.write(content);
    expect((await first.push).status).toBe(202);
    await sleep(50);
    expect(second.status).toBe(0);
    proxy.gateway.writes = true;
    expect((await second.push).status).toBe(202);
  });

  test("waits for the file again if the Pushgateway misses a write", async () => {
    proxy.gateway.missedWrites = 2;
    expect((await proxy.push("job/missed", "missed_metric 1\n")).status).toBe(202);
    expect(proxy.gateway.changes.filter((change) => change.endsWith("/missed"))).toHaveLength(1);
  });

  test("stores a push again if the Pushgateway ends before its file contains the push", async () => {
    proxy.gateway.writes = false;
    const pushed = proxy.push("job/unwritten", "unwritten_metric 1\n");
    await until(() => proxy.gateway.samplesOf("unwritten_metric").length > 0);
    await proxy.gateway.kill();
    proxy.gateway.writes = true;
    await proxy.gateway.start();
    expect(proxy.gateway.samplesOf("unwritten_metric")).toEqual([]);
    expect((await pushed).status).toBe(202);
    expect(proxy.gateway.samplesOf("unwritten_metric")).toEqual(["unwritten_metric 1"]);
  });

  test("notices a restart of the Pushgateway that happens before the proxy reads its response", async () => {
    let respond = (): void => undefined;
    const responding = new Promise<void>((resolve) => (respond = resolve));
    proxy.gateway.beforeResponse = async ({ path }) => {
      if (path.endsWith("/restarted")) await responding;
    };
    proxy.gateway.writes = false;
    const pushed = proxy.push("job/restarted", "restarted_metric 1\n");
    await until(() => proxy.gateway.samplesOf("restarted_metric").length > 0);
    proxy.pause(true);
    respond();
    await sleep(50);
    await proxy.gateway.kill();
    proxy.gateway.writes = true;
    await proxy.gateway.start();
    proxy.pause(false);
    expect((await pushed).status).toBe(202);
    expect(proxy.gateway.samplesOf("restarted_metric")).toEqual(["restarted_metric 1"]);
  });

  test("notices a restart of the Pushgateway that happens while the disk hangs", async () => {
    proxy.gateway.writes = false;
    // Reading a pipe hangs until somebody writes to it.
    await rm(proxy.file);
    execFileSync("mkfifo", [`${proxy.file}.pipe`]);
    await link(`${proxy.file}.pipe`, proxy.file);
    const first = proxy.push("job/hanging", "hanging_metric 1\n");
    await until(() => proxy.gateway.samplesOf("hanging_metric").length === 1);
    await sleep(100);
    // Checkpoints run one at a time. The first push's checkpoint hangs, so the second push's checkpoint begins only
    // after the restart.
    const second = proxy.push("job/waiting", "hanging_metric 2\n");
    await until(() => proxy.gateway.samplesOf("hanging_metric").length === 2);
    await sleep(100);
    await proxy.gateway.kill();
    await rm(proxy.file);
    await proxy.gateway.start();
    // The proxy connects again within 100 ms.
    await sleep(300);
    proxy.gateway.writes = true;
    // Ends the proxy's hanging read. If the proxy isn't reading the pipe, opening it with "w" would hang, and "r+"
    // doesn't.
    await (await open(`${proxy.file}.pipe`, "r+")).close();
    expect([(await first).status, (await second).status]).toEqual([202, 202]);
    const samples = proxy.gateway.samplesOf("hanging_metric").toSorted();
    expect(samples).toEqual(["hanging_metric 1", "hanging_metric 2"]);
  });

  test("holds pushes while the Pushgateway is down", async () => {
    await proxy.gateway.kill();
    const pushed = [1, 2, 3].map((at) => proxy.push(`job/held-${at}`, "held_metric 1\n"));
    await sleep(300);
    await proxy.gateway.start();
    expect((await Promise.all(pushed)).map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(proxy.gateway.samplesOf("held_metric")).toHaveLength(3);
  });

  test("stores concurrent pushes", async () => {
    const groups = Array.from({ length: 40 }, (_, at) => `job/concurrent/instance/${at}`);
    const answers = await Promise.all(groups.map((group) => proxy.push(group, "concurrent_metric 1\n")));
    expect([...new Set(answers.map(({ status }) => status))]).toEqual([202]);
    expect(proxy.gateway.samplesOf("concurrent_metric")).toHaveLength(40);
  });

  test("doesn't let a retried push of a group replace a later one, whose labels may have another order", async () => {
    dropPushes('number="1"', 'number="2"');
    const push = (number: number, labels: string) =>
      proxy.push(`job/ordered/${labels}`, `ordered_metric{number="${number}"} 1\n`);
    const first = push(1, "instance/i/zone/z");
    await sleep(50);
    const second = push(2, "zone/z/instance/i");
    expect((await first).status).toBe(202);
    const third = push(3, "instance/i/zone/z");
    expect([(await second).status, (await third).status]).toEqual([202, 202]);
    expect(proxy.gateway.samplesOf("ordered_metric")).toEqual(['ordered_metric{number="3"} 1']);
  });

  test("deletes a group after the pushes that came before, in any order of its labels", async () => {
    dropPushes("deleted_metric");
    const pushed = proxy.push("job/deleted/instance/i/zone/z", "deleted_metric 1\n");
    await sleep(50);
    const deleted = proxy.push("job/deleted/zone/z/instance/i", "", { method: "DELETE" });
    expect([(await pushed).status, (await deleted).status]).toEqual([202, 202]);
    expect(proxy.gateway.samplesOf("deleted_metric")).toEqual([]);
  });

  test("if the Pushgateway rejects a push: forwards the response, keeps the group's last push, and creates no new group", async () => {
    expect((await proxy.push("job/typed", "# TYPE typed_metric gauge\ntyped_metric 1\n")).status).toBe(202);
    expect((await proxy.push("job/other", "other_metric 1\n")).status).toBe(202);
    const wrong = "# TYPE typed_metric counter\ntyped_metric 2\n";
    for (const group of ["job/other", "job/new"]) {
      const { status, text } = await proxy.push(group, wrong);
      expect(status).toBe(400);
      expect(text).toContain("inconsistent");
    }
    expect(proxy.gateway.samplesOf("other_metric")).toEqual(["other_metric 1"]);
    expect(proxy.gateway.page()).not.toContain('job="new"');
  });

  test("marks the families that a POST keeps, until a push has them again", async () => {
    const marks = () => proxy.gateway.samplesOf("push_proxy_stale_family");
    await proxy.push("job/posted", "one_metric 1\ntwo_metric 1\n", { method: "POST" });
    expect(marks()).toEqual([]);
    await proxy.push("job/posted", "two_metric 2\n", { method: "POST" });
    expect(marks()).toEqual(['push_proxy_stale_family{family="one_metric"} 1']);
    await proxy.push("job/posted", "one_metric 3\ntwo_metric 3\n", { method: "POST" });
    expect(marks()).toEqual(['push_proxy_stale_family{family=""} 1']);
    await proxy.push("job/posted", "two_metric 4\n");
    expect(marks()).toEqual([]);
    expect(proxy.gateway.samplesOf("one_metric")).toEqual([]);
  });
});

describe("if the Pushgateway stays down, the push proxy", () => {
  let proxy: PushProxyProcess;

  beforeAll(async () => {
    proxy = await startPushProxy({ timeoutSeconds: 1 });
    await proxy.gateway.kill();
  });
  afterAll(() => proxy.close());

  test("responds with 503 after its timeout and a pause, which the push queue's number of retries relies on", async () => {
    const started = Date.now();
    const { status, text } = await proxy.push("job/down", "a_metric 1\n");
    expect(status).toBe(503);
    expect(text).toContain("push again");
    expect(Date.now() - started).toBeGreaterThan(1_950);
  });

  test("responds with 504, after which the push queue doesn't send the push again, if the queue has held it too long", async () => {
    const received = (secondsAgo: number) => ({ "x-push-received": String(Date.now() / 1000 - secondsAgo) });
    const status = async (secondsAgo: number) =>
      (await proxy.push("job/down", "a_metric 1\n", { headers: received(secondsAgo) })).status;
    expect(await Promise.all([status(1_000), status(10)])).toEqual([504, 503]);
  });

  test("responds to reads and probes, which need no canary", async () => {
    const read = await fetch(`${proxy.url}/metrics`);
    expect([read.status, await read.text()]).toEqual([502, "The Pushgateway does not respond\n"]);
    expect((await fetch(`${proxy.url}/-/ready`)).status).toBe(503);
    expect((await fetch(`${proxy.url}/-/push-proxy/healthy`)).status).toBe(200);
  });
});

test("the push proxy responds with 503 if the Pushgateway's file is not written within the timeout", async () => {
  const proxy = await startPushProxy({ timeoutSeconds: 1 });
  proxy.gateway.writes = false;
  expect((await proxy.push("job/unwritten", "a_metric 1\n")).status).toBe(503);
  proxy.gateway.writes = true;
  expect((await proxy.push("job/unwritten", "a_metric 1\n")).status).toBe(202);
  await proxy.close();
});
