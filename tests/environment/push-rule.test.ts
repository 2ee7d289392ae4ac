import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { execa } from "execa";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ensureToolchain } from "k8sfv-local-cloud/toolchain";
import { startGateway, type GatewayProcess } from "./gateway-process.ts";
import { push } from "./pushes.ts";
import { send } from "./raw-http.ts";

const PROTOBUF =
  "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
const LINE = Buffer.from("a_metric 1\n");

/**
 * Tests the rule that a push is stored only if the Pushgateway's metrics stay valid. To keep this rule, the push proxy
 * first tries each push on the canary, a second Pushgateway. A Pushgateway alone accepts some of the pushes that are
 * rejected here, and its metrics are then invalid. Does not prove that Prometheus's own parser accepts the metrics;
 * push-fuzz.test.ts tests that.
 */
describe("a push never affects other clients' data", () => {
  let binaries: Awaited<ReturnType<typeof ensureToolchain>>;
  let dir: string;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    binaries = await ensureToolchain({ only: ["pushgateway", "prometheus"] });
  });
  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), "k8sfv-push-"));
    gateway = await startGateway(binaries.path("pushgateway"), dir, { limits: { push: 4e6, store: 4e6 } });
    expect(await push(gateway.url, "other", 1)).toBe(202);
    expect((await send(gateway.url, "/metrics/job/k8sfv")).status).toBe(202);
  });
  afterEach(async () => {
    await gateway.close();
    await rm(dir, { recursive: true });
  });

  /**
   * Checks that another client can push within 5 s, and with promtool that all metrics of the Pushgateway are still
   * valid.
   */
  async function expectIntact(): Promise<void> {
    const started = Date.now();
    expect(await push(gateway.url, "other", 2)).toBe(202);
    expect(Date.now() - started).toBeLessThan(5_000);
    const { status, text } = await send(gateway.url, "/metrics", { method: "GET", body: Buffer.alloc(0) });
    expect(status).toBe(200);
    expect(text).toContain('pushed_value{instance="other",job="pushes"} 2\n');
    expect(text).toContain('a_metric{instance="",job="k8sfv"} 1\n');
    expect(text).toContain("\npushgateway_build_info{");
    const { stderr, exitCode } = await execa(binaries.path("promtool"), ["check", "metrics"], {
      input: text,
      reject: false,
    });
    // Exit code 3 means valid metrics with names that the linter doesn't recommend.
    expect([0, 3], stderr).toContain(exitCode);
  }

  /** Bodies that are rejected, in the two formats of the Pushgateway. */
  const bodies: [string, string, Buffer][] = [
    [
      "a family without a name",
      PROTOBUF,
      Buffer.from("0f1801220b12090900000000 0000f03f".replace(" ", ""), "hex"),
    ],
    [
      "a gauge histogram",
      PROTOBUF,
      Buffer.from("170a04615f67681805220d3a0b0801110000000000 00f03f".replace(" ", ""), "hex"),
    ],
    ["a length of 8 GiB", PROTOBUF, Buffer.from("808080808020 78".replace(" ", ""), "hex")],
    [
      "a HELP that is not UTF-8",
      "text/plain",
      Buffer.from("# HELP a caf\xe9\n# TYPE a gauge\na 1\n", "latin1"),
    ],
    ["a name of the proxy's own", "text/plain", Buffer.from("push_proxy_pushes_total 1\n")],
    ["a name of the Pushgateway's own", "text/plain", Buffer.from("pushgateway_http_requests_total 1\n")],
  ];
  it.each(bodies)("is rejected if it contains %s", async (_, type, body) => {
    const { status, text } = await send(gateway.url, "/metrics/job/odd", {
      headers: { "Content-Type": type },
      body,
    });
    expect(status).toBe(400);
    expect(text).toMatch(/Not stored|inconsistent/);
    await expectIntact();
  });

  it.each([
    ["/metrics/job/k8sfv/instance/", "a variable"],
    ["/metrics/job/k8sfv/branch@base64/=", "a variable"],
    ["/metrics/job/k8sfv/branch//x/y", "a variable"],
    ["/metrics/job/x/branch/f%FCr", "UTF-8"],
    ["/metrics/job/x/branch@base64/_A", "utf8"],
  ])("is rejected with the path %s, and the response says how to correct it", async (rawPath, said) => {
    const { status, text } = await send(gateway.url, rawPath);
    expect(status).toBe(400);
    expect(text).toContain(said);
    await expectIntact();
    expect((await send(gateway.url, rawPath, { method: "DELETE" })).status).toBeLessThan(500);
    await expectIntact();
  });

  it("is stored at a path with two slashes, which clients send if their URL ends with a slash", async () => {
    expect(
      (await send(gateway.url, "//metrics/job/k8sfv", { body: Buffer.from("a_metric 1\nb_metric 2\n") }))
        .status,
    ).toBe(202);
    await expectIntact();
    const { text } = await send(gateway.url, "/metrics", { method: "GET", body: Buffer.alloc(0) });
    expect(text).toContain('b_metric{instance="",job="k8sfv"} 2\n');
  });

  it("by POST marks the families of earlier pushes that it keeps", async () => {
    const post = async (body: string) =>
      send(gateway.url, "/metrics/job/k8sfv", { method: "POST", body: Buffer.from(body) });
    const marks = async () => {
      const { text } = await send(gateway.url, "/metrics", { method: "GET", body: Buffer.alloc(0) });
      const found = text.matchAll(/^push_proxy_stale_family\{family="(.*?)",instance="",job="k8sfv"\} 1$/gm);
      return [...found].map(([, family]) => family);
    };
    expect((await post("b_metric 2\n")).status).toBe(202);
    expect(await marks()).toEqual(["a_metric"]);
    expect((await post("a_metric 1\nb_metric 2\n")).status).toBe(202);
    expect(await marks()).toEqual([""]);
    expect((await send(gateway.url, "/metrics/job/k8sfv")).status).toBe(202);
    expect(await marks()).toEqual([]);
    await expectIntact();
  });

  it("creates no group if it is rejected", async () => {
    // a_metric has another type in group k8sfv.
    const body = Buffer.from("# TYPE a_metric counter\na_metric 1\n");
    const { status, text } = await send(gateway.url, "/metrics/job/inconsistent", { body });
    expect(status).toBe(400);
    expect(text).toContain("inconsistent");
    const page = await send(gateway.url, "/metrics", { method: "GET", body: Buffer.alloc(0) });
    expect(page.text).not.toContain('job="inconsistent"');
    await expectIntact();
  });

  it("doesn't change the push time of its group if it is rejected", async () => {
    const body = Buffer.from("# TYPE pushed_value counter\npushed_value 1\n");
    expect((await send(gateway.url, "/metrics/job/k8sfv", { body })).status).toBe(400);
    const { text } = await send(gateway.url, "/metrics", { method: "GET", body: Buffer.alloc(0) });
    expect(text).toMatch(/^push_time_seconds\{instance="",job="k8sfv"\} 1\.\d+e\+09$/m);
    await expectIntact();
  });

  it.each(["GZIP", "gzip", "Identity", "", "utf-8", "snappy"])(
    "is accepted with Content-Encoding %j",
    async (encoding) => {
      const body = /gzip/i.test(encoding) ? gzipSync(LINE) : encoding === "snappy" ? snappy(LINE) : LINE;
      const headers = { "Content-Encoding": encoding };
      expect((await send(gateway.url, "/metrics/job/k8sfv", { headers, body })).status).toBe(202);
      await expectIntact();
    },
  );

  it("is rejected if it needs too much memory, and doesn't delay other pushes", async () => {
    const many = Array.from({ length: 400_000 }, (_, at) => `m${at} 1\n`).join("");
    const bomb = { headers: { "Content-Encoding": "gzip" }, body: gzipSync(many) };
    expect((await send(gateway.url, "/metrics/job/bomb", bomb)).status).toBe(400);
    await expectIntact();
  });

  it("is not rejected when the canary is killed", async () => {
    for (let times = 0; times < 10; times += 1) {
      const pushes = Array.from({ length: 8 }, (_, at) => push(gateway.url, `killed-${at}`, times));
      await sleep(Math.random() * 20);
      await gateway.killCanary();
      expect(new Set(await Promise.all(pushes))).toEqual(new Set([202]));
    }
    await expectIntact();
  });

  it("is not delayed by slow uploads", async () => {
    const port = Number(new URL(gateway.url).port);
    const head = "PUT /metrics/job/slow HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    const sockets = Array.from({ length: 64 }, () => connect(port, "127.0.0.1"));
    const answers = sockets.map(
      (socket) =>
        new Promise<string>((resolve) => {
          socket.on("data", (data) => {
            resolve(data.toString());
          });
          socket.on("error", () => undefined);
          socket.write(head);
        }),
    );
    const trickle = setInterval(() => {
      for (const socket of sockets) if (socket.writable) socket.write("1\r\n#\r\n");
    }, 1_000);
    await sleep(3_000);
    await expectIntact();
    // The proxy rejects uploads at one byte per second.
    expect(await answers[0]).toContain("408");
    clearInterval(trickle);
    for (const socket of sockets) socket.destroy();
  });

  it("can use a connection that was idle, and a GET with a Content-Length gets a response", async () => {
    const { port } = new URL(gateway.url);
    const socket = connect(Number(port), "127.0.0.1");
    const text = async () =>
      new Promise<string>((resolve) => {
        socket.once("data", (data) => {
          resolve(data.toString());
        });
      });
    const get = "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n";
    socket.write(get);
    const first = await text();
    expect(first).toContain("200 OK");
    // Google's load balancers keep an idle connection for 600 s. Node's default is 5 s.
    expect(first).toContain("Keep-Alive: timeout=620");
    await sleep(6_500);
    socket.write(get);
    expect(await text()).toContain("200 OK");
    socket.destroy();
    const started = Date.now();
    const { status } = await send(gateway.url, "/metrics", {
      method: "GET",
      headers: { "Content-Length": "11" },
    });
    expect(status).toBe(200);
    expect(Date.now() - started).toBeLessThan(2_000);
  });

  it("of a nightly run is accepted although another job has filled the Pushgateway", async () => {
    const lines = Array.from({ length: 8_000 }, (_, at) => `noise{number="${at}",of="noisy"} 1\n`).join("");
    let status = 202;
    for (let at = 0; status === 202 && at < 40; at += 1) {
      const body = Buffer.from(lines.replaceAll("noise{", `noise_${at}{`));
      ({ status } = await send(gateway.url, `/metrics/job/noisy/part/${at}`, { body }));
    }
    expect(status).toBe(507);
    const metrics = await send(gateway.url, "/-/push-proxy/metrics", {
      method: "GET",
      body: Buffer.alloc(0),
    });
    const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(metrics.text)?.[1]);
    expect(value("push_proxy_stored_bytes") / value("push_proxy_stored_bytes_limit")).toBeGreaterThan(0.8);
    expect(
      (await send(gateway.url, "/metrics/job/k8sfv", { body: Buffer.from("a_metric 1\n") })).status,
    ).toBe(202);
    // This push has one more metric than the last one.
    expect(
      (await send(gateway.url, "/metrics/job/k8sfv", { body: Buffer.from("a_metric 1\nb_metric 2\n") }))
        .status,
    ).toBe(202);
    expect((await send(gateway.url, "/metrics/job/k8sfv")).status).toBe(202);
  });
});

/** Encodes one uncompressed chunk in snappy's framing format (github.com/google/snappy, framing_format.txt). */
function snappy(content: Buffer): Buffer {
  const length = Buffer.alloc(3);
  length.writeUIntLE(content.length + 4, 0, 3);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32LE(maskedCrc32c(content));
  const identifier = Buffer.from("ff060000734e61507059", "hex");
  return Buffer.concat([identifier, Buffer.from([1]), length, checksum, content]);
}

function maskedCrc32c(content: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of content) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
