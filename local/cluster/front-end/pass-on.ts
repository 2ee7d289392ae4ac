import http from "node:http";
import { pipeline } from "node:stream";
import type { FrontEndHost } from "./machines.ts";

/** How long a backend may take to accept a connection, in milliseconds. */
const connectMs = 2_000;

/**
 * Passes a request on to the first of the endpoints that takes the connection, and its answer back; with what
 * Google adds for it.
 */
export function passOn(
  host: Pick<FrontEndHost, "address" | "timeoutMs">,
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
    // Either end may break off at any time; the client is told as long as it can be.
    pipeline(request, upstream, (error) => {
      if (error) fail(502);
    });
  };
  upstream.on("socket", (socket) => {
    // One that is kept from an earlier request is connected.
    if (socket.connecting) socket.once("connect", begin);
    else begin();
  });
  upstream.on("timeout", () => {
    if (connected) fail(504);
    upstream.destroy();
  });
  upstream.on("error", () => {
    if (connected) fail(502);
    else passOn(host, others, request, response);
  });
}

function upstreamOf(
  endpoint: string,
  { address }: Pick<FrontEndHost, "address">,
  { method, url, headers, socket }: http.IncomingMessage,
): http.RequestOptions {
  const [host, port] = endpoint.split(":");
  return {
    host,
    port,
    method,
    // As it came: read as a URL, "//other/x" would lead to another host.
    path: url,
    headers: {
      ...headers,
      via: "1.1 google",
      "x-forwarded-proto": "encrypted" in socket ? "https" : "http",
      "x-forwarded-for": `${socket.remoteAddress ?? ""},${address}`,
    },
  };
}
