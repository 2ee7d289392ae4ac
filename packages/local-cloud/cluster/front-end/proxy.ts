import http from "node:http";
import { pipeline } from "node:stream";
import type { VirtualHost } from "./hosts.ts";

/** Timeout of a connection attempt to a backend, in milliseconds. */
const connectMs = 2_000;

/**
 * Proxies a request to the first endpoint that accepts a connection, with Google's additional headers. Responds with
 * 502 if no endpoint accepts a connection or the connection breaks, and with 504 after the backend's timeout.
 */
export function proxyRequest(
  host: Pick<VirtualHost, "address" | "timeoutMs">,
  [endpoint, ...others]: string[],
  request: http.IncomingMessage,
  response: http.ServerResponse,
): void {
  const fail = (status: number): void => {
    if (!response.headersSent) response.writeHead(status).end();
  };
  if (endpoint === undefined) {
    fail(502);
    return;
  }
  const upstream = http.request({ ...upstreamOf(endpoint, host, request), timeout: connectMs }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    pipeline(answer, response, () => undefined);
  });
  let connected = false;
  const begin = (): void => {
    connected = true;
    upstream.setTimeout(host.timeoutMs);
    // Either end can fail at any time; the client gets an error response if the headers were not sent yet.
    pipeline(request, upstream, (error) => {
      if (error) fail(502);
    });
  };
  upstream.on("socket", (socket) => {
    // A reused keep-alive connection is already open and emits no `connect` event.
    if (socket.connecting) socket.once("connect", begin);
    else begin();
  });
  upstream.on("timeout", () => {
    if (connected) fail(504);
    upstream.destroy();
  });
  upstream.on("error", () => {
    if (connected) fail(502);
    else proxyRequest(host, others, request, response);
  });
}

function upstreamOf(
  endpoint: string,
  { address }: Pick<VirtualHost, "address">,
  { method, url, headers, socket }: http.IncomingMessage,
): http.RequestOptions {
  const [host, port] = endpoint.split(":");
  return {
    host,
    port,
    method,
    // The path is not parsed as a URL, because a path such as "//other/x" would then name another host.
    path: url,
    headers: {
      ...headers,
      via: "1.1 google",
      "x-forwarded-proto": "encrypted" in socket ? "https" : "http",
      "x-forwarded-for": `${socket.remoteAddress ?? ""},${address}`,
    },
  };
}
