// @ts-check
// Stands before the push gateway, in its pod, and answers a push only when it is on the disk.
//
// The gateway itself answers as soon as it has a push in memory and writes its file afterwards; killed in
// between, it loses what it had accepted (its storage/diskmetricstore.go, loop). And it takes a body of any
// size. So each push passes through here, none too large. After those that the gateway took in, a mark is pushed;
// when its file holds that mark, the file is flushed and the pushes are answered. When the gateway ends meanwhile,
// they are pushed again. Reads pass through untouched, but for how many pushes were answered how, which is told with
// the gateway's own metrics: it sees no push refused here.
//
// Plain JavaScript without packages: it runs from a ConfigMap, on Node's own image.
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, request } from "node:http";
import { storedBytes } from "./disk.mjs";
import { askAsGuard, authorization, collect, gateway, say, watchLife } from "./gateway.mjs";
import { BadBody, maxPushBytes, withBody } from "./intake.mjs";
import { end, maxStoreBytes, PATIENCE_MS, storeSafely } from "./store.mjs";

const port = Number(process.env.GUARD_PORT);

/** @typedef {import("./gateway.mjs").Answer} Answer */
/** @typedef {import("node:http").IncomingMessage} Incoming */
/** @typedef {import("node:http").ServerResponse} Outgoing */

/**
 * How many pushes were answered with each status.
 *
 * @type {Map<number, number>}
 */
const answered = new Map();

/** In Prometheus's text format. */
function ownMetrics() {
  const lines = [...answered].map(
    ([status, count]) => `push_guard_pushes_total{code="${status}"} ${count}\n`,
  );
  return `# HELP push_guard_pushes_total Pushes answered, by status.
# TYPE push_guard_pushes_total counter
${lines.join("")}# HELP push_guard_stored_bytes Size of the Pushgateway's file.
# TYPE push_guard_stored_bytes gauge
push_guard_stored_bytes ${storedBytes}
# HELP push_guard_stored_bytes_limit Size of the Pushgateway's file from which on pushes are refused.
# TYPE push_guard_stored_bytes_limit gauge
push_guard_stored_bytes_limit ${maxStoreBytes}
`;
}

/**
 * @param {Incoming} incoming
 * @returns {Promise<Answer>}
 */
async function takePush(incoming) {
  // Asked of the gateway too; but nobody without the password is to fill memory here.
  const shown = incoming.headers.authorization?.replace(/^basic /i, "Basic ");
  if (authorization !== undefined && !isSame(shown ?? "", authorization)) {
    return { ...say(401, "Unauthorized"), headers: { "www-authenticate": "Basic" } };
  }
  const encoding = incoming.headers["content-encoding"] ?? "identity";
  if (!["identity", "gzip"].includes(encoding))
    return say(415, `The Content-Encoding ${encoding} is not known`);
  if (Number(incoming.headers["content-length"] ?? 0) > maxPushBytes) {
    await collect(incoming, 0);
    return tooLarge();
  }
  try {
    return await withBody(incoming, async (body) =>
      body === undefined ? tooLarge() : handOver(incoming, body),
    );
  } catch (error) {
    if (error instanceof BadBody) return say(400, error.message);
    throw error;
  }
}

function tooLarge() {
  return say(413, `A push has at most ${maxPushBytes} bytes, unpacked`);
}

/**
 * @param {Incoming} incoming
 * @param {Buffer} body
 */
async function handOver(incoming, body) {
  /** @type {Record<string, string>} */
  const headers = {};
  for (const name of /** @type {const} */ (["content-type", "authorization"])) {
    const value = incoming.headers[name];
    if (value !== undefined) headers[name] = value;
  }
  return storeSafely({ method: incoming.method ?? "", path: incoming.url ?? "", headers, body });
}

/**
 * Whether two texts are the same; how long it takes tells nothing of them.
 *
 * @param {string} one
 * @param {string} other
 */
function isSame(one, other) {
  const digest = (/** @type {string} */ text) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/**
 * A read: the gateway's answer as it is; to its metrics the guard's own are added.
 *
 * @param {Incoming} incoming
 * @param {Outgoing} outgoing
 */
function passOn({ method, url, headers }, outgoing) {
  const asksMetrics = method === "GET" && url?.split("?")[0] === "/metrics";
  // What is packed can't be added to.
  const kept = asksMetrics ? { ...headers, "accept-encoding": "identity" } : headers;
  const sent = request({ ...gateway, method, path: url, headers: kept });
  sent.setTimeout(PATIENCE_MS, () => sent.destroy());
  sent.on("response", (response) => {
    const adds = asksMetrics && response.statusCode === 200 && isText(response);
    if (adds) delete response.headers["content-length"];
    outgoing.writeHead(response.statusCode ?? 502, response.headers);
    response.on("error", () => outgoing.destroy());
    response.pipe(outgoing, { end: !adds });
    if (adds) response.on("end", () => outgoing.end(ownMetrics()));
  });
  sent.on("error", () => {
    if (outgoing.headersSent) outgoing.destroy();
    else send(outgoing, say(502, "The push gateway does not answer"));
  });
  outgoing.on("close", () => sent.destroy());
  sent.end();
}

/** @param {Incoming} response */
function isText({ headers }) {
  return headers["content-type"]?.startsWith("text/plain") === true;
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
  else {
    const answer = await takePush(incoming);
    if (method !== "DELETE" && url?.startsWith("/metrics/job"))
      answered.set(answer.status, (answered.get(answer.status) ?? 0) + 1);
    send(outgoing, answer);
  }
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
