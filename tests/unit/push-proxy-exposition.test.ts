import { createServer, type RequestListener } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  InvalidExpositionError,
  neverPushed,
  PageChecker,
  pushedGroup,
} from "../../components/push-proxy/exposition.ts";
import { send, stream, TimeoutError, TooLargeError, upstream } from "../../components/push-proxy/http.ts";
import { isHeldTooLong, MAX_HOLD_SECONDS } from "../../components/push-proxy/limits.ts";
import { pathProblem, withoutDoubledSlash } from "../../components/push-proxy/path.ts";
import { freePort } from "../../lib/free-port.ts";

const OWN = 'pushgateway_build_info{version="1"} 1\n';
const GROUP = 'instance="",job="a"';

describe("the text exposition format", () => {
  const page = (...lines: string[]) => Buffer.from(`${lines.join("\n")}\n${OWN}`);

  test("of a group has its families with their HELP and TYPE once, without the Pushgateway's own", () => {
    const metrics = [
      "# HELP a_metric Text.",
      "# TYPE a_metric gauge",
      `a_metric{${GROUP}} 1`,
      `a_metric{name="with space ä",${GROUP}} 2`,
      "# TYPE no_help counter",
      `no_help{${GROUP}} 3`,
    ];
    const found = pushedGroup(
      page(
        "# HELP go_goroutines Text.",
        "# TYPE go_goroutines gauge",
        "go_goroutines 7",
        ...metrics,
        "# TYPE push_failure_time_seconds gauge",
        `push_failure_time_seconds{${GROUP}} 0`,
        "# TYPE push_time_seconds gauge",
        `push_time_seconds{${GROUP}} 1`,
      ),
    );
    expect(found?.labels).toBe(GROUP);
    expect(found?.text.toString()).toBe(`${metrics.join("\n")}\n`);
  });

  test("has no group without a push", () => {
    expect(pushedGroup(page("go_goroutines 7"))).toBeUndefined();
  });

  test("is valid for names and values that Prometheus accepts", () => {
    const lines = ['a:b_1{x="a b}c"} NaN', "a_metric 1", '# HELP a_metric Text { " é', "_a 1e+06"];
    expect(() => pushedGroup(page(...lines))).not.toThrow();
  });

  test.each([
    ["a name with other characters", page('a-metric{x="y"} 1')],
    ["a name that begins with a digit", page("1_metric 1")],
    ["a name in quotes", page('{"a metric",x="y"} 1')],
    ["no closing brace", page('a_metric{x="y" 1')],
    ["no value", page("a_metric")],
    ["a HELP that is not UTF-8", Buffer.from(`# HELP a caf\xe9\n${OWN}`, "latin1")],
    ["a reserved name", page(`push_proxy_pushes_total{${GROUP}} 1`)],
    ["the Pushgateway's name", page(`pushgateway_http_requests_total{${GROUP}} 1`)],
    ["two groups", page(`push_time_seconds{${GROUP}} 1`, `push_time_seconds{job="b"} 1`)],
    ["no last family", Buffer.from(`a_metric{${GROUP}} 1\n`)],
    ["an incomplete last line", Buffer.from(`${OWN}a_metric{${GROUP}} 1`)],
    ["a header at its end", Buffer.from(`${OWN}# TYPE a_metric gauge\n`)],
  ])("is invalid with %s", (_, text) => {
    expect(() => pushedGroup(text)).toThrow(InvalidExpositionError);
  });

  test("may be checked line by line", () => {
    const checker = new PageChecker();
    checker.line("a_metric 1");
    checker.line(OWN.trim());
    expect(() => {
      checker.end("");
    }).not.toThrow();
  });

  test("shows that a group has no successful push", () => {
    expect(neverPushed(GROUP)).toBe(`push_time_seconds{${GROUP}} 0`);
  });
});

describe("paths of pushes", () => {
  test.each([
    "/metrics/job/k8sfv",
    "/metrics/job/k8sfv/branch/a%2Fb",
    "/metrics/job@base64/azhzZnY=/branch@base64/bWFzdGVy",
    "/metrics/job/a/x/1/y/2?z=",
  ])("%s is valid", (path) => {
    expect(pathProblem(path)).toBeUndefined();
  });

  test.each([
    ["/metrics/job/", '"job" has no value'],
    ["/metrics/job/a/branch/", '"branch" has no value'],
    ["/metrics/job/a/branch//x/y", '"branch" has no value'],
    ["/metrics/job/a/x/y/branch/?z=1", '"branch" has no value'],
    ["/metrics/job/a/branch@base64/=", '"branch@base64" has no value'],
    ["/metrics/job/a/branch/f%FCr", "percent-encoding"],
  ])("%s is rejected: %s", (path, problem) => {
    expect(pathProblem(path)).toContain(problem);
  });

  test("begin with one slash", () => {
    expect(withoutDoubledSlash("//metrics/job/a")).toBe("/metrics/job/a");
    expect(withoutDoubledSlash("///metrics//a")).toBe("/metrics//a");
  });
});

test("a push is held too long after 15 minutes in the push queue, never without one", () => {
  const now = 1_700_000_000_000;
  const received = (secondsAgo: number) => String(now / 1000 - secondsAgo);
  expect(isHeldTooLong(received(MAX_HOLD_SECONDS - 1), now)).toBe(false);
  expect(isHeldTooLong(received(MAX_HOLD_SECONDS + 1), now)).toBe(true);
  expect(isHeldTooLong(undefined, now)).toBe(false);
  expect(MAX_HOLD_SECONDS).toBe(15 * 60);
});

describe("a request to the Pushgateway", () => {
  async function serve(listener: RequestListener) {
    const port = await freePort();
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    const to = upstream(port);
    onTestFinished(() => {
      to.agent.destroy();
      server.closeAllConnections();
      server.close();
    });
    return to;
  }
  const request = { method: "PUT", path: "/", headers: {}, body: Buffer.from("body") };

  test("returns the status and the whole body", async () => {
    const to = await serve((incoming, response) => {
      incoming.pipe(response.writeHead(418, { x: "y" }));
    });
    expect(await send(to, request, 10_000)).toMatchObject({
      status: 418,
      headers: { x: "y" },
      body: Buffer.from("body"),
    });
  });

  test("fails after its timeout, in the middle of a response too", async () => {
    const to = await serve((_, response) => response.write("begin"));
    await expect(send(to, request, 50)).rejects.toThrow(TimeoutError);
  });

  test("fails if the connection ends in the middle of a response", async () => {
    const to = await serve((_, response) => {
      response.write("begin", () => response.destroy());
    });
    await expect(send(to, request, 10_000)).rejects.toThrow("aborted");
  });

  test("fails if the response is larger than its limit", async () => {
    const to = await serve((_, response) => response.end("12345678"));
    expect((await send(to, request, 10_000, 8)).body.toString()).toBe("12345678");
    await expect(send(to, request, 10_000, 7)).rejects.toThrow(TooLargeError);
  });

  test("fails if the body's reader throws an error", async () => {
    const to = await serve((_, response) => response.end("text"));
    const read = () => {
      throw new Error("unreadable");
    };
    await expect(stream(to, request, 10_000, read)).rejects.toThrow("unreadable");
  });
});
