// @ts-check
// The bodies of pushes: never more of them in memory than there is room for.
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { collect } from "./store.mjs";

/** A push may have so many bytes, unpacked. */
export const maxPushBytes = Number(process.env.GUARD_MAX_PUSH_BYTES);
/** So many bodies are read at once, the others wait. */
const READERS = 8;
/** So much is held at once: of bodies that are being read the most they may have, of others what they have. */
const MOST_BYTES = Math.max(64 * 2 ** 20, READERS * maxPushBytes);

/** @typedef {import("node:http").IncomingMessage} Incoming */

let readers = 0;
let held = 0;
/** @type {(() => void)[]} */
const queue = [];

function letIn() {
  while (queue.length > 0 && readers < READERS && held + maxPushBytes <= MOST_BYTES) {
    readers += 1;
    held += maxPushBytes;
    queue.shift()?.();
  }
}

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
  await new Promise((/** @type {(value: void) => void} */ resolve) => {
    queue.push(resolve);
    letIn();
  });
  /** @type {Buffer | undefined} */
  let body;
  try {
    body = await read(incoming);
  } catch (error) {
    throw new BadBody("The body can't be read", { cause: error });
  } finally {
    readers -= 1;
    held -= maxPushBytes - (body?.length ?? 0);
    letIn();
  }
  try {
    return await work(body);
  } finally {
    held -= body?.length ?? 0;
    letIn();
  }
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
