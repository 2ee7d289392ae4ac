// @ts-check
// The bodies of pushes: never more of them in memory than there is room for.
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { collect } from "./gateway.mjs";
import { makeRoom } from "./room.mjs";

/** A push may have so many bytes, unpacked. */
export const maxPushBytes = Number(process.env.GUARD_MAX_PUSH_BYTES);
/** So much is held at once: of bodies that are being read what they may have, of others what they have. */
const room = makeRoom(Math.max(64 * 2 ** 20, 8 * maxPushBytes));

/** @typedef {import("node:http").IncomingMessage} Incoming */

/** A body that can't be read: its client is to blame. */
export class BadBody extends Error {}

/**
 * Reads a push's body, unpacked, and keeps room for it until the work on it is done. One that is too large is read
 * to its end and thrown away.
 *
 * @template T
 * @param {Incoming} incoming
 * @param {(body: Buffer | undefined) => Promise<T>} work - gets undefined when it is too large
 * @returns {Promise<T>}
 * @throws BadBody
 */
export async function withBody(incoming, work) {
  const expected = mostBytes(incoming);
  await room.enter(expected);
  /** @type {Buffer | undefined} */
  let body;
  try {
    body = await read(incoming);
  } catch (error) {
    throw new BadBody("The body can't be read", { cause: error });
  } finally {
    room.leave(expected - (body?.length ?? 0));
  }
  try {
    return await work(body);
  } finally {
    room.leave(body?.length ?? 0);
  }
}

/**
 * So much a body can have, as far as its headers tell.
 *
 * @param {Incoming} incoming
 */
function mostBytes({ headers }) {
  const length = Number(headers["content-length"] ?? maxPushBytes);
  return headers["content-encoding"] === "gzip" ? maxPushBytes : Math.min(length, maxPushBytes);
}

/** @param {Incoming} incoming */
async function read(incoming) {
  const body = await collect(incoming, maxPushBytes);
  return body === undefined || incoming.headers["content-encoding"] !== "gzip" ? body : unpack(body);
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
