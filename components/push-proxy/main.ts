/**
 * The durable push proxy in front of the Pushgateway, in the same pod.
 *
 * The Pushgateway responds when a push is in memory and writes its file later, so it loses accepted pushes if it is
 * killed (storage/diskmetricstore.go, loop). It also accepts pushes that crash it or make its metrics unreadable. The
 * proxy reads each push with limits (upload.ts), tries the push on a canary (canary.ts), stores the push, and responds
 * when the push is on the disk (store.ts, checkpoint.ts). The proxy forwards reads unchanged.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { stopCanary, tryPush, type Verdict } from "./canary.ts";
import { ask, authorization, gateway, watchEpoch } from "./gateway.ts";
import { isHeldTooLong, RECEIVED_HEADER } from "./limits.ts";
import { textResponse, type Response } from "./http.ts";
import { countPush, ownMetrics } from "./metrics.ts";
import { monitorExposition } from "./monitor.ts";
import { pathProblem, withoutDoubledSlash } from "./path.ts";
import { MAX_PUSH_BYTES, MAX_STORED_BYTES, PORT } from "./settings.ts";
import { stopRetrying, store } from "./store.ts";
import { readBody, Reservation } from "./upload.ts";

const READ_TIMEOUT_MS = 25_000;
/**
 * Maximum size of a request's headers. Larger ones are rejected with 431. The Pushgateway itself would accept 1 MiB
 * (the default of Go's net/http).
 */
const MAX_HEADER_BYTES = 64 * 2 ** 10;
/** Google's load balancers keep idle connections for 600 s, and expect the server to keep them longer. */
const KEEP_ALIVE_MS = 620_000;
const MAX_CONNECTIONS = 1_000;
const RETRY_PAUSE_MS = 1_000;
/** The only status that client_golang before 1.2.0 accepts as success. All newer clients accept it too. */
const STORED = 202;

async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const { method = "", url = "" } = incoming;
  // Probes send no password, so these three paths require none.
  if (url === "/-/push-proxy/healthy") respond(outgoing, textResponse(200, "OK"));
  else if (url === "/-/ready" || url === "/-/healthy") respond(outgoing, await probe(url));
  else if (["GET", "HEAD", "OPTIONS"].includes(method)) read(incoming, outgoing);
  else await change(incoming, outgoing);
}

async function probe(path: string): Promise<Response> {
  return ask("GET", path).catch((error: unknown) => textResponse(503, String(error)));
}

function read(incoming: IncomingMessage, outgoing: ServerResponse): void {
  if (incoming.url === "/-/push-proxy/metrics") {
    const metrics = { ...textResponse(200, ""), body: Buffer.from(ownMetrics(MAX_STORED_BYTES)) };
    respond(outgoing, isAuthorized(incoming) ? metrics : unauthorized());
  } else passOn(incoming, outgoing);
}

/** Sends a request without a body to the Pushgateway, and returns the Pushgateway's response unchanged. */
function passOn({ method, url, headers }: IncomingMessage, outgoing: ServerResponse): void {
  const ofBody = ["content-length", "transfer-encoding", "expect"];
  const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => !ofBody.includes(name)));
  const sent = request({ ...gateway, method, path: url, headers: kept });
  sent.setTimeout(READ_TIMEOUT_MS, () => sent.destroy());
  sent.on("response", (response) => {
    outgoing.writeHead(response.statusCode ?? 502, response.headers);
    response.on("error", () => outgoing.destroy());
    response.pipe(outgoing);
  });
  sent.on("error", () => {
    if (outgoing.headersSent) outgoing.destroy();
    else respond(outgoing, textResponse(502, "The Pushgateway does not respond"));
  });
  outgoing.on("close", () => sent.destroy());
  sent.end();
}

/** Responds to a push or a deletion. A client that ends its connection before the end of the body gets no response. */
async function change(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const reservation = new Reservation();
  try {
    const response = await applyChange(incoming, reservation);
    if (response.status === 503 && isHeldTooLong(incoming.headers[RECEIVED_HEADER])) response.status = 504;
    // The push queue sends the push again immediately after the response. Without this pause it would use up its
    // retries within a second.
    else if (response.status === 503 && server.listening) await sleep(RETRY_PAUSE_MS);
    if (incoming.method !== "DELETE") countPush(response.status);
    if (!incoming.complete) outgoing.setHeader("connection", "close");
    respond(outgoing, response);
  } finally {
    reservation.release();
  }
}

async function applyChange(incoming: IncomingMessage, reservation: Reservation): Promise<Response> {
  const isKnown = isAuthorized(incoming);
  const body = await readBody(incoming, reservation, isKnown ? MAX_PUSH_BYTES : 0);
  if (!isKnown) return unauthorized();
  if (body === 408) return textResponse(408, "Not stored: the body came too slowly");
  if (body === 413) return textResponse(413, `Not stored: a push may have at most ${MAX_PUSH_BYTES} bytes`);
  const { method = "" } = incoming;
  const path = withoutDoubledSlash(incoming.url ?? "");
  if (method === "DELETE") return applyDeletion(path);
  const problem = pathProblem(path);
  if (problem !== undefined) return textResponse(400, `Not stored: ${problem}`);
  const verdict = await verdictOn({ method, path, headers: pushHeaders(incoming), body });
  if ("refused" in verdict) return verdict.refused;
  if (verdict.accepted.group === undefined)
    return textResponse(404, "Not stored: the path is none of a group");
  if (!reservation.tryHold(verdict.accepted.text.length)) {
    return textResponse(503, "Not stored, push again: too many large pushes are waiting");
  }
  const response = await store({ method, path, ...verdict.accepted });
  return response.status < 300 ? { ...response, status: STORED } : response;
}

/**
 * Deletes the path's group. `store` makes the changes of a group one after another, and recognizes changes of the same
 * group by the group's labels. An empty push to the canary returns the labels for the path. If the canary rejects this
 * push, `store` uses the path instead of the labels.
 */
async function applyDeletion(path: string): Promise<Response> {
  const verdict = await verdictOn({ method: "PUT", path, headers: {}, body: Buffer.alloc(0) });
  const group = "accepted" in verdict ? verdict.accepted.group : undefined;
  return store({ method: "DELETE", path, group, text: Buffer.alloc(0) });
}

async function verdictOn(push: Parameters<typeof tryPush>[0]): Promise<Verdict> {
  return tryPush(push).catch((error: unknown) => ({
    refused: textResponse(503, `Not stored, push again: ${String(error)}`),
  }));
}

function pushHeaders({ headers }: IncomingMessage): Record<string, string> {
  const names = ["content-type", "content-encoding"] as const;
  return Object.fromEntries(
    names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])),
  );
}

/** Checks the password, as the Pushgateway does, so that requests without the password use no memory here. */
function isAuthorized({ headers }: IncomingMessage): boolean {
  if (authorization === undefined) return true;
  return isSame(headers.authorization?.replace(/^basic /i, "Basic ") ?? "", authorization);
}

function unauthorized(): Response {
  return { ...textResponse(401, "Unauthorized"), headers: { "www-authenticate": "Basic" } };
}

/** Compares two texts in constant time. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

function respond(outgoing: ServerResponse, { status, headers, body }: Response): void {
  const kept = { ...headers, "content-length": body.length };
  delete kept["transfer-encoding"];
  delete kept.connection;
  if (!server.listening) outgoing.setHeader("connection", "close");
  outgoing.writeHead(status, kept);
  outgoing.end(body);
}

const options = { maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: 0, headersTimeout: 10_000 };
const server = createServer(options, (incoming, outgoing) => {
  handle(incoming, outgoing).catch((error: unknown) => {
    console.error(`${incoming.method} ${incoming.url}: ${String(error)}`);
    outgoing.destroy();
  });
});
server.keepAliveTimeout = KEEP_ALIVE_MS;
server.maxConnections = MAX_CONNECTIONS;
server.on("drop", () => {
  server.closeIdleConnections();
});
server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
  const status = error.code === "HPE_HEADER_OVERFLOW" ? 431 : 400;
  // Only requests with too large headers (431) are counted as rejected pushes. The other errors (400) include reset
  // connections and TLS clients, so they are not counted.
  if (status === 431) countPush(status);
  if (socket.writable)
    socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  else socket.destroy();
});
server.listen(PORT, () => {
  console.log(`listening on port ${PORT}`);
});
watchEpoch(monitorExposition);

process.on("SIGTERM", () => {
  // Pushes in progress still get a response, after which their connections are closed.
  stopRetrying();
  server.close(() => {
    stopCanary();
    process.exit(0);
  });
  server.closeIdleConnections();
});
