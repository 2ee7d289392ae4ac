// @ts-check
// Stands before the push gateway, in its pod, and answers a push only when it is on the disk.
//
// The gateway itself answers as soon as it has a push in memory and writes its file afterwards; killed in
// between, it loses what it had accepted (its storage/diskmetricstore.go, loop). And it takes a body of any
// size. So each push passes through here: batch after batch, none too large; then a mark is pushed, and when
// the gateway's file holds that mark, which it took in after the pushes, the file is flushed and the pushes
// are answered. When the gateway ends meanwhile, they are pushed again. Reads pass through untouched.
//
// Plain JavaScript without packages: it runs from a ConfigMap, on Node's own image.
import { stat } from "node:fs/promises";
import { createServer, request } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { askAsGuard, collect, end, gateway, PATIENCE_MS, say, storeSafely, watchLife } from "./store.mjs";

const port = Number(process.env.GUARD_PORT);
/** The gateway's persistence file. */
const file = process.env.GUARD_FILE ?? "";
/** A push may have so many bytes, unpacked. */
const maxPushBytes = Number(process.env.GUARD_MAX_PUSH_BYTES);
/** Nothing is taken in any more when the gateway's file has so many. */
const maxStoreBytes = Number(process.env.GUARD_MAX_STORE_BYTES);

/** So many bodies are read at once, the others wait: a bound on memory. */
const READERS = 8;

/** @typedef {import("./store.mjs").Answer} Answer */
/** @typedef {import("node:http").IncomingMessage} Incoming */
/** @typedef {import("node:http").ServerResponse} Outgoing */

let readers = 0;
/** @type {(() => void)[]} */
const queue = [];

/** A place among those that read a body. */
async function takePlace() {
  if (readers < READERS) readers += 1;
  else await new Promise((/** @type {(value: void) => void} */ resolve) => queue.push(resolve));
}

function leavePlace() {
  const next = queue.shift();
  if (next === undefined) readers -= 1;
  else next();
}

/**
 * @param {Buffer} body
 * @returns {Promise<Buffer | undefined>} undefined when it is too large
 */
async function unpack(body) {
  try {
    return await promisify(gunzip)(body, { maxOutputLength: maxPushBytes });
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ERR_BUFFER_TOO_LARGE") return undefined;
    throw error;
  }
}

/**
 * The body of a push, unpacked; undefined when it is too large.
 *
 * @param {Incoming} incoming
 */
async function readPush(incoming) {
  if (Number(incoming.headers["content-length"] ?? 0) > maxPushBytes) return collect(incoming, maxPushBytes);
  await takePlace();
  try {
    const body = await collect(incoming, maxPushBytes);
    return body === undefined || incoming.headers["content-encoding"] !== "gzip" ? body : await unpack(body);
  } finally {
    leavePlace();
  }
}

/**
 * @param {Incoming} incoming
 * @returns {Promise<Answer>}
 */
async function takePush(incoming) {
  const encoding = incoming.headers["content-encoding"] ?? "identity";
  if (!["identity", "gzip"].includes(encoding))
    return say(415, `The Content-Encoding ${encoding} is not known`);
  /** @type {Buffer | undefined} */
  let body;
  try {
    body = await readPush(incoming);
  } catch {
    return say(400, "The body can't be read");
  }
  if (body === undefined) return say(413, `A push has at most ${maxPushBytes} bytes, unpacked`);
  const stored = await stat(file).catch(() => undefined);
  if (stored !== undefined && stored.size > maxStoreBytes && incoming.method !== "DELETE") {
    return say(507, `The push gateway holds more than ${maxStoreBytes} bytes: delete groups`);
  }
  /** @type {Record<string, string>} */
  const headers = {};
  for (const name of /** @type {const} */ (["content-type", "authorization"])) {
    const value = incoming.headers[name];
    if (value !== undefined) headers[name] = value;
  }
  return storeSafely({ method: incoming.method ?? "", path: incoming.url ?? "", headers, body });
}

/**
 * A read: the gateway's answer as it is.
 *
 * @param {Incoming} incoming
 * @param {Outgoing} outgoing
 */
function passOn({ method, url, headers }, outgoing) {
  const sent = request({ ...gateway, method, path: url, headers });
  sent.setTimeout(PATIENCE_MS, () => sent.destroy());
  sent.on("response", (response) => {
    outgoing.writeHead(response.statusCode ?? 502, response.headers);
    response.on("error", () => outgoing.destroy());
    response.pipe(outgoing);
  });
  sent.on("error", () => {
    if (outgoing.headersSent) outgoing.destroy();
    else send(outgoing, say(502, "The push gateway does not answer"));
  });
  outgoing.on("close", () => sent.destroy());
  sent.end();
}

/**
 * @param {Outgoing} outgoing
 * @param {Answer} answer
 */
function send(outgoing, { status, headers, body }) {
  const kept = { ...headers, "content-length": body.length };
  delete kept["transfer-encoding"];
  delete kept.connection;
  if (!server.listening) kept.connection = "close";
  outgoing.writeHead(status, kept);
  outgoing.end(body);
}

/**
 * @param {Incoming} incoming
 * @param {Outgoing} outgoing
 */
async function handle(incoming, outgoing) {
  const { method, url } = incoming;
  // The probes ask without a password: for the guard alone, or for both.
  if (url === "/-/guard") send(outgoing, say(200, "OK"));
  else if (url === "/-/ready" || url === "/-/healthy") {
    send(
      outgoing,
      await askAsGuard("GET", url).catch((/** @type {unknown} */ error) => say(503, String(error))),
    );
  } else if (method === "GET" || method === "HEAD") passOn(incoming, outgoing);
  else send(outgoing, await takePush(incoming));
}

const server = createServer((incoming, outgoing) => {
  handle(incoming, outgoing).catch((/** @type {unknown} */ error) => {
    console.error(String(error));
    outgoing.destroy();
  });
});
server.headersTimeout = 10_000;
server.requestTimeout = 60_000;
server.maxConnections = 2_000;
server.listen(port, () => {
  console.log(`listening on port ${port}`);
});
watchLife();

process.on("SIGTERM", () => {
  // Pushes under way are still answered, and connections end with their answer.
  end();
  server.close(() => {
    process.exit(0);
  });
  server.closeIdleConnections();
});
