// @ts-check
// The push gateway behind the guard: how it is asked, and whether it lives.
import { Agent, request } from "node:http";
import { connect } from "node:net";

/** @typedef {{ method: string, path: string, headers: Record<string, string>, body: Buffer }} Question */
/** @typedef {{ status: number, headers: import("node:http").IncomingHttpHeaders, body: Buffer }} Answer */

/** What those hear who waited for a gateway that is gone. */
export const ENDED = "the push gateway ended meanwhile";
/** The gateway answers a push of the largest size within a second; this is for one that hangs. */
const ANSWER_TIMEOUT_MS = 10_000;

/** "USER:PASSWORD" of the gateway; empty when it asks nobody. */
const credentials = process.env.GUARD_CREDENTIALS ?? "";
/** The header that it wants to see, if any. */
export const authorization =
  credentials === "" ? undefined : `Basic ${Buffer.from(credentials).toString("base64")}`;

/** Where the gateway is: in the same pod, and for nobody else. */
export const gateway = {
  host: "127.0.0.1",
  port: Number(process.env.GUARD_GATEWAY_PORT),
  agent: new Agent({ keepAlive: true }),
};

/**
 * Which life of the gateway this is: a connection that only its end breaks off. Without it, a gateway that
 * came back without the pushes could still store the mark that follows them.
 */
export const life = { number: 0, there: false };

/** Watches from now on whether the gateway lives. */
export function watchLife() {
  const socket = connect(gateway.port, gateway.host);
  socket.on("connect", () => {
    life.number += 1;
    life.there = true;
  });
  socket.on("error", () => undefined);
  socket.on("close", () => {
    life.there = false;
    setTimeout(watchLife, 100);
  });
  socket.resume();
}

/**
 * All of a stream; undefined when it is longer. It is then read to its end all the same and thrown away: many
 * clients look for an answer only when they have sent everything.
 *
 * @param {AsyncIterable<Buffer>} chunks
 * @param {number} [most]
 */
export async function collect(chunks, most = Infinity) {
  /** @type {Buffer[]} */
  let parts = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > most) parts = [];
    else parts.push(chunk);
  }
  return length > most ? undefined : Buffer.concat(parts);
}

/**
 * Asks the gateway.
 *
 * @param {Question} question
 * @returns {Promise<Answer>}
 */
export async function ask({ method, path, headers, body }) {
  const response = await new Promise(
    (/** @type {(response: import("node:http").IncomingMessage) => void} */ resolve, reject) => {
      const sent = request({
        ...gateway,
        method,
        path,
        headers: { ...headers, "content-length": body.length },
      });
      sent.setTimeout(ANSWER_TIMEOUT_MS, () => sent.destroy(new Error("the push gateway does not answer")));
      sent.on("response", resolve);
      sent.on("error", reject);
      sent.end(body);
    },
  );
  return {
    status: response.statusCode ?? 502,
    headers: response.headers,
    body: (await collect(response)) ?? Buffer.alloc(0),
  };
}

/**
 * Asks the gateway on the guard's own behalf, with its password where it wants one.
 *
 * @param {string} method
 * @param {string} path
 * @param {string} [text]
 */
export async function askAsGuard(method, path, text = "") {
  /** @type {Record<string, string>} */
  const headers = { "content-type": "text/plain" };
  if (authorization !== undefined) headers.authorization = authorization;
  return ask({ method, path, headers, body: Buffer.from(text) });
}

/** @param {number} number */
export function isLife(number) {
  return life.there && life.number === number;
}

/**
 * An answer in plain words.
 *
 * @param {number} status
 * @param {string} text
 * @returns {Answer}
 */
export function say(status, text) {
  return { status, headers: { "content-type": "text/plain" }, body: Buffer.from(`${text}\n`) };
}
