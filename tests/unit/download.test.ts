import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { checksum, download } from "../../lib/download.ts";

const CONTENT = Buffer.from("kind: CustomResourceDefinition\n");
const SHA256 = checksum(CONTENT);

let cache: string;

beforeEach(async () => {
  cache = await mkdtemp(path.join(tmpdir(), "downloads-"));
  vi.stubEnv("XDG_CACHE_HOME", cache);
  for (const name of ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"]) {
    vi.stubEnv(name, undefined);
    vi.stubEnv(name.toLowerCase(), undefined);
  }
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await rm(cache, { recursive: true });
  });
});

/** Starts a server that sends the n-th response to the n-th request, and the last one to all further requests. */
async function serve(...responses: ((response: ServerResponse) => void)[]) {
  const times: number[] = [];
  const server = http.createServer((_: IncomingMessage, response) => {
    responses[Math.min(times.length, responses.length - 1)]?.(response);
    times.push(Date.now());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/a.yaml`, port, times };
}

const content = (response: ServerResponse) => response.end(CONTENT);
const status =
  (code: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse) =>
    response.writeHead(code, headers).end();

test("sends no request for a file in the cache, unless that file is damaged", async () => {
  const { url, times } = await serve(content);
  expect(await download(url, SHA256)).toEqual(CONTENT);
  expect(await download(url, SHA256)).toEqual(CONTENT);
  expect(times).toHaveLength(1);
  await writeFile(path.join(cache, "k8sfv-metrics/downloads", SHA256), "torn");
  expect(await download(url, SHA256)).toEqual(CONTENT);
  expect(times).toHaveLength(2);
});

test("returns a file whose checksum differs, but doesn't cache it", async () => {
  const { url } = await serve((response) => response.end("kind: Surprise"));
  expect((await download(url, SHA256)).toString()).toBe("kind: Surprise");
  await expect(readdir(path.join(cache, "k8sfv-metrics"))).rejects.toThrow("ENOENT");
});

test("ignores a cache that can't be written", async () => {
  await writeFile(path.join(cache, "k8sfv-metrics"), "a file in the way");
  const { url } = await serve(content);
  expect(await download(url, SHA256)).toEqual(CONTENT);
  expect(await readFile(path.join(cache, "k8sfv-metrics"), "utf8")).toBe("a file in the way");
});

test.each([
  ["seconds", () => "1"],
  ["a date", () => new Date(Date.now() + 1_900).toUTCString()],
])("waits as long as Retry-After says before it retries: %s", async (_, header) => {
  const { url, times } = await serve(status(429, { "retry-after": header() }), content);
  expect(await download(url, SHA256)).toEqual(CONTENT);
  const [first = 0, second = 0] = times;
  expect(second - first).toBeGreaterThan(850);
});

test("retries if the server closes the connection", async () => {
  const { url, times } = await serve((response) => response.destroy(), content);
  expect(await download(url, SHA256)).toEqual(CONTENT);
  expect(times).toHaveLength(2);
});

test("sends at most 5 requests if transient errors continue", async () => {
  const { url, times } = await serve(status(503, { "retry-after": "0" }));
  await expect(download(url, SHA256)).rejects.toThrow(
    "the server responded 503 Service Unavailable, after 5 attempts",
  );
  expect(times).toHaveLength(5);
});

test.each([
  ["a permanent error", status(404), "the server responded 404 Not Found"],
  [
    "a Retry-After of an hour",
    status(429, { "retry-after": "3600" }),
    "the server responded 429 Too Many Requests; try again in 3600 s",
  ],
])("does not retry after %s", async (_, response, words) => {
  const { url, times } = await serve(response);
  await expect(download(url, SHA256)).rejects.toThrow(words);
  expect(times).toHaveLength(1);
});

test("keeps no connection open after a download, which would keep the program running", async () => {
  const open = new Set<net.Socket>();
  const server = http.createServer((_, response) => content(response));
  server.keepAliveTimeout = 60_000;
  server.on("connection", (socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  expect(await download(`http://127.0.0.1:${port}/a.yaml`, SHA256)).toEqual(CONTENT);
  // If `download` didn't close the idle connection, it would stay open for about a minute, the server's keep-alive
  // timeout.
  await expect.poll(() => open.size, { timeout: 3_000 }).toBe(0);
});

/** Starts a proxy that connects all tunnels to one local port, and records the requested hosts. */
async function proxy(port: number) {
  const hosts: string[] = [];
  const server = http.createServer().on("connect", ({ url = "" }, client: net.Socket) => {
    hosts.push(url);
    const target = net.connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      target.pipe(client).pipe(target);
    });
    for (const end of [client, target]) end.on("error", () => end.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, hosts };
}

test("uses the proxy in HTTP_PROXY, except for hosts in NO_PROXY", async () => {
  const { url, port, times } = await serve(content);
  const { url: proxyUrl, hosts } = await proxy(port);
  vi.stubEnv("HTTP_PROXY", proxyUrl);
  vi.stubEnv("NO_PROXY", "127.0.0.1");
  expect(await download("http://crds.invalid/a.yaml", SHA256)).toEqual(CONTENT);
  expect(hosts).toEqual(["crds.invalid:80"]);
  await rm(path.join(cache, "k8sfv-metrics"), { recursive: true });
  expect(await download(url, SHA256)).toEqual(CONTENT);
  expect(hosts).toHaveLength(1);
  expect(times).toHaveLength(2);
});

test("uses the proxy in HTTPS_PROXY for https:// URLs", async () => {
  // The server has no TLS, so the download fails. The test checks only that the proxy was asked to connect to
  // the host.
  const { port } = await serve(content);
  const { url, hosts } = await proxy(port);
  vi.stubEnv("HTTPS_PROXY", url);
  void download("https://crds.invalid/a.yaml", SHA256).catch(() => undefined);
  await expect.poll(() => hosts).toEqual(["crds.invalid:443"]);
});
