// The program of Google's front end: node main.ts FILE, with the hosts that it serves in the file.
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { createSecureContext } from "node:tls";
import type { FrontEndHost } from "./machines.ts";
import { passOn } from "./pass-on.ts";
import { refusal, type Counts } from "./policy.ts";

/** How often each backend is asked whether it is well, and how long it may take to answer. */
const checkMs = 1_000;

const file = process.argv[2] ?? "";
const counts: Counts = new Map();
/** Backends that answered their last check. */
const healthy = new Set<string>();

/** What is served now: read anew each time, since it changes with the cluster. */
function hosts(): FrontEndHost[] {
  return JSON.parse(readFileSync(file, "utf8")) as FrontEndHost[];
}

function find({ headers, socket, url }: http.IncomingMessage): FrontEndHost | undefined {
  // A URL in the place of the path may name any host; such a request, made for proxies, is for none of these.
  if (!url?.startsWith("/")) return undefined;
  const name = (headers.host ?? "").split(":")[0];
  return hosts().find(({ address, host }) => address === socket.localAddress && host === name);
}

function overHttp(request: http.IncomingMessage, response: http.ServerResponse): void {
  const host = find(request);
  if (host?.redirectToHttps !== true) {
    overHttps(request, response);
    return;
  }
  response.writeHead(301, { location: `https://${host.host}${request.url ?? "/"}` }).end();
}

function overHttps(request: http.IncomingMessage, response: http.ServerResponse): void {
  const host = find(request);
  const client = request.socket.remoteAddress ?? "";
  if (host === undefined) {
    response.writeHead(404).end("default backend - 404\n");
    return;
  }
  const refused = refusal(host.rules, client, counts, Date.now());
  const endpoints = host.endpoints.filter((one) => healthy.has(one));
  if (refused !== undefined) response.writeHead(refused).end();
  else if (endpoints.length === 0) response.writeHead(503).end("no healthy upstream\n");
  else passOn(host, endpoints, request, response);
}

async function check(endpoint: string, { path, port }: FrontEndHost["healthCheck"]): Promise<void> {
  const signal = AbortSignal.timeout(checkMs);
  const well = await fetch(`http://${endpoint.split(":")[0]}:${port}${path}`, { signal }).then(
    ({ status }) => status === 200,
    () => false,
  );
  if (well) healthy.add(endpoint);
  else healthy.delete(endpoint);
}

setInterval(() => {
  for (const { endpoints, healthCheck } of hosts()) {
    for (const endpoint of endpoints) void check(endpoint, healthCheck);
  }
}, checkMs);
http.createServer(overHttp).listen(80, "0.0.0.0");
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
    overHttps,
  )
  .listen(443, "0.0.0.0", () => process.send?.("ready"));
