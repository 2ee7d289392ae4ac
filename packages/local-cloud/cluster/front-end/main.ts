// Main module of the program that emulates Google's external HTTP(S) load balancers. Usage: node main.ts FILE; FILE
// contains the virtual hosts as JSON.
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { createSecureContext } from "node:tls";
import type { VirtualHost } from "./hosts.ts";
import { proxyRequest } from "./proxy.ts";
import { evaluatePolicy, type RequestTimes } from "./policy.ts";

/** Interval and timeout of health checks in milliseconds. */
const checkMs = 1_000;

const file = process.argv[2] ?? "";
const requestTimes: RequestTimes = new Map();
/** Backends whose last health check succeeded. */
const healthy = new Set<string>();

/** Reads the virtual hosts. Called for each request because the file changes with the cluster. */
function hosts(): VirtualHost[] {
  return JSON.parse(readFileSync(file, "utf8")) as VirtualHost[];
}

function find({ headers, socket, url }: http.IncomingMessage): VirtualHost | undefined {
  // Requests to a proxy contain an absolute URL, which may name any host. They get 404.
  if (!url?.startsWith("/")) return undefined;
  const name = (headers.host ?? "").split(":")[0];
  return hosts().find(({ address, host }) => address === socket.localAddress && host === name);
}

function handleHttp(request: http.IncomingMessage, response: http.ServerResponse): void {
  const host = find(request);
  if (host?.redirectToHttps !== true) {
    handleHttps(request, response);
    return;
  }
  response.writeHead(301, { location: `https://${host.host}${request.url ?? "/"}` }).end();
}

function handleHttps(request: http.IncomingMessage, response: http.ServerResponse): void {
  const host = find(request);
  const client = request.socket.remoteAddress ?? "";
  if (host === undefined) {
    response.writeHead(404).end("default backend - 404\n");
    return;
  }
  const refused = evaluatePolicy(host.rules, client, requestTimes, Date.now());
  const endpoints = host.endpoints.filter((one) => healthy.has(one));
  if (refused !== undefined) response.writeHead(refused).end();
  else if (endpoints.length === 0) response.writeHead(503).end("no healthy upstream\n");
  else proxyRequest(host, endpoints, request, response);
}

async function check(endpoint: string, { path, port }: VirtualHost["healthCheck"]): Promise<void> {
  const signal = AbortSignal.timeout(checkMs);
  const ok = await fetch(`http://${endpoint.split(":")[0]}:${port}${path}`, { signal }).then(
    ({ status }) => status === 200,
    () => false,
  );
  if (ok) healthy.add(endpoint);
  else healthy.delete(endpoint);
}

setInterval(() => {
  for (const { endpoints, healthCheck } of hosts()) {
    for (const endpoint of endpoints) void check(endpoint, healthCheck);
  }
}, checkMs);
http.createServer(handleHttp).listen(80, "0.0.0.0");
https
  .createServer(
    {
      SNICallback: (name, answer) => {
        const found = hosts().find(({ host }) => host === name)?.certificate;
        if (found === undefined) answer(new Error(`no certificate for ${name}`));
        else
          answer(null, createSecureContext({ cert: readFileSync(found.cert), key: readFileSync(found.key) }));
      },
    },
    handleHttps,
  )
  .listen(443, "0.0.0.0", () => process.send?.("ready"));
