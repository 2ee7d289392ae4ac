import { once } from "node:events";
import http from "node:http";
import { connect, type AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { startDeafServer } from "../../testing/deaf-server.ts";
import { freePort } from "../../../../lib/free-port.ts";
import { proxyRequest } from "./proxy.ts";

async function serve(answer: http.RequestListener): Promise<number> {
  const server = http.createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Starts a backend that echoes its requests. @returns its endpoint */
async function startBackend(): Promise<string> {
  const port = await serve((request, response) => {
    void text(request).then((body) => response.end(`${request.method} ${request.url} ${body}`));
  });
  return `127.0.0.1:${port}`;
}

/** Starts a front end that proxies all requests to the endpoints. @returns its port */
function startFrontEnd(endpoints: string[], timeoutMs = 60_000): Promise<number> {
  return serve((request, response) => {
    proxyRequest({ address: "192.0.2.1", timeoutMs }, endpoints, request, response);
  });
}

/** Sends a raw request: an HTTP client would normalize the target. */
async function send(port: number, target: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(`GET ${target} HTTP/1.1\r\nHost: push.example\r\nConnection: close\r\n\r\n`);
  return text(socket);
}

test.each(["//", "//192.0.2.9/metrics", "http://192.0.2.9/x", "/../x?y#z"])(
  "forwards the request target %s unchanged, to the backend only",
  async (target) => {
    const port = await startFrontEnd([await startBackend()]);
    expect(await send(port, target)).toContain(`GET ${target} `);
  },
);

test("sends the whole request to the next backend if one does not accept the connection", async () => {
  const { port: deaf } = await startDeafServer();
  const refusing = await freePort();
  const endpoints = [`127.0.0.1:${deaf}`, `127.0.0.1:${refusing}`, await startBackend()];
  const port = await startFrontEnd(endpoints);
  const started = Date.now();
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { method: "PUT", body: "pushed 1" });
  expect(await answer.text()).toBe("PUT /metrics pushed 1");
  expect(Date.now() - started).toBeLessThan(10_000);
});

test("returns 502 without a reachable backend and 504 on a backend's timeout", async () => {
  const refusing = await startFrontEnd([`127.0.0.1:${await freePort()}`]);
  expect((await fetch(`http://127.0.0.1:${refusing}/`)).status).toBe(502);
  const silent = await serve(() => undefined);
  const waiting = await startFrontEnd([`127.0.0.1:${silent}`, await startBackend()], 100);
  expect((await fetch(`http://127.0.0.1:${waiting}/`)).status).toBe(504);
});
