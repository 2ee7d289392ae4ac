// @ts-check
// The guard's side towards the push gateway: stores pushes, and answers for the disk.
import { randomUUID } from "node:crypto";
import { open, readFile, stat } from "node:fs/promises";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { groupOf } from "./group.mjs";
import { makeRoom } from "./room.mjs";

/** @typedef {{ method: string, path: string, headers: Record<string, string>, body: Buffer }} Question */
/** @typedef {{ status: number, headers: import("node:http").IncomingHttpHeaders, body: Buffer }} Answer */

/** So many bytes of pushes are at the gateway at once, as many as one may have: it takes memory for no more. */
const AT_ONCE_BYTES = 4 * 2 ** 20;
/** And so many pushes: it takes them in one by one, and the marks wait behind them. */
const AT_ONCE = 16;
const room = makeRoom(AT_ONCE_BYTES);
/** A push of more bytes has that room until it is on the disk: `storedBytes` then counts it before the next one. */
const SMALL_BYTES = AT_ONCE_BYTES / AT_ONCE;
/** A push waits so long for a gateway that starts again, which takes it a second or two. */
export const PATIENCE_MS = 25_000;
/** The gateway answers a push of the largest size within a second; this is for one that hangs. */
const ANSWER_TIMEOUT_MS = 10_000;
/** A mark was on the disk after some milliseconds; this is for a disk that is slow or full. */
const MARK_TIMEOUT_MS = 5_000;
const POLL_MS = 2;
/**
 * The gateway can miss what comes in as it begins to write its file, until the next push (its
 * storage/diskmetricstore.go, loop: it notes the time of a write before the write is in). So the mark is pushed again.
 */
const MARK_AGAIN_MS = 250;
/** Between two tries to store a push. */
const RETRY_MS = 100;
const ENDED = "the push gateway ended meanwhile";

/** The gateway's persistence file. */
const file = process.env.GUARD_FILE ?? "";
/** Nothing is taken in any more when the gateway's file has so many bytes. */
const maxStoreBytes = Number(process.env.GUARD_MAX_STORE_BYTES);
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
const life = { number: 0, there: false };

let ending = false;

/** The pod ends, and the gateway with it: what can't be stored now is refused at once, for the next pod to take. */
export function end() {
  ending = true;
}

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
async function ask({ method, path, headers, body }) {
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

/** How much the gateway holds: the bytes that its file had when it was last looked at. */
let storedBytes = (await stat(file).catch(() => undefined))?.size ?? 0;

/** @type {Promise<void> | undefined} */
let writing;
/** @type {Promise<void> | undefined} */
let nextWriting;

/**
 * Resolves when everything that the gateway took in before is in its file, and that on the disk. Who asks while one
 * writing is under way, which can have begun too early, shares the next one with all others who do.
 *
 * @returns {Promise<void>}
 */
async function persisted() {
  nextWriting ??= (writing ?? Promise.resolve())
    .catch(() => undefined)
    .then(() => {
      writing = nextWriting;
      nextWriting = undefined;
      return writeMark();
    });
  return nextWriting;
}

/** Pushes a mark, and waits until the gateway's file holds it, and with it all that came before. */
async function writeMark() {
  const { number } = life;
  const mark = randomUUID();
  const help = `# HELP push_guard Pushes before this mark are on the disk: ${mark}`;
  const text = `${help}\n# TYPE push_guard gauge\npush_guard 1\n`;
  let marked = 0;
  // From the moment on that the first mark is in: it waits its turn behind the pushes.
  let deadline = Infinity;
  let seen = "";
  for (;;) {
    if (Date.now() > marked + MARK_AGAIN_MS) {
      const { status } = await askAsGuard("PUT", "/metrics/job/push-guard", text);
      if (status >= 300) throw new Error(`the push gateway answered ${status} to the guard's mark`);
      marked = Date.now();
      deadline = Math.min(deadline, marked + MARK_TIMEOUT_MS);
    }
    const found = await stat(file, { bigint: true }).catch(() => undefined);
    const version = found === undefined ? seen : `${found.ino} ${found.mtimeNs}`;
    if (version !== seen) {
      const content = await readFile(file);
      storedBytes = content.length;
      if (content.includes(mark)) break;
    }
    seen = version;
    if (!isLife(number)) throw new Error(ENDED);
    if (Date.now() > deadline) throw new Error("the push gateway does not write its file");
    await sleep(POLL_MS);
  }
  await Promise.all([flush(file), flush(path.dirname(file))]);
}

/** @param {string} name */
async function flush(name) {
  const handle = await open(name, "r");
  await handle.sync().finally(() => handle.close());
}

/**
 * The gateway's answer, once it holds for good.
 *
 * @param {Question} question
 * @param {number} deadline
 * @returns {Promise<Answer>}
 */
async function store(question, deadline) {
  const { length } = question.body;
  const size = Math.max(length, SMALL_BYTES);
  await room.enter(size);
  const { number, there } = life;
  /** @type {Answer} */
  let answer;
  try {
    if (!there) throw new Error("the push gateway is not there");
    if (Date.now() > deadline) throw new Error("the push gateway did not come to it");
    if (question.method !== "DELETE" && storedBytes > maxStoreBytes) return isFull();
    answer = await ask(question);
    if (length > SMALL_BYTES) await kept(answer, deadline);
  } finally {
    room.leave(size);
  }
  if (length <= SMALL_BYTES) await kept(answer, deadline);
  if (!isLife(number)) throw new Error(ENDED);
  return answer;
}

function isFull() {
  return say(507, `The push gateway holds more than ${maxStoreBytes} bytes: delete groups`);
}

/**
 * Waits until what the gateway accepted is on the disk, but not for a disk that hangs.
 *
 * @param {Answer} answer
 * @param {number} deadline
 */
async function kept({ status }, deadline) {
  if (status >= 300) return;
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error("the disk does not answer"));
    }, deadline - Date.now());
  });
  await Promise.race([persisted(), late]).finally(() => {
    clearTimeout(timer);
  });
}

/** @param {number} number */
function isLife(number) {
  return life.there && life.number === number;
}

/**
 * The last push of each group that is under way.
 *
 * @type {Map<string, Promise<Answer>>}
 */
const turns = new Map();

/**
 * Has a push stored: its answer is the gateway's, given when it holds, or 503 when it can't be stored. Those of one
 * group come one after the other: none that has to be pushed again can undo a later one.
 *
 * @param {Question} question
 * @returns {Promise<Answer>}
 */
export async function storeSafely(question) {
  const deadline = Date.now() + PATIENCE_MS;
  const group = groupOf(question.path);
  const before = turns.get(group) ?? Promise.resolve();
  const turn = before.then(() => deliver(question, deadline));
  turns.set(group, turn);
  const answer = await turn;
  if (turns.get(group) === turn) turns.delete(group);
  return answer;
}

/**
 * Tries until it is stored, it has waited long enough, or the pod ends. Never fails.
 *
 * @param {Question} question
 * @param {number} deadline
 * @returns {Promise<Answer>}
 */
async function deliver(question, deadline) {
  for (;;) {
    try {
      return await store(question, deadline);
    } catch (error) {
      if (ending || Date.now() >= deadline) {
        console.error(`A push to ${question.path} was refused: ${String(error)}`);
        return say(503, `Not stored, push again: ${String(error)}`);
      }
    }
    await sleep(RETRY_MS);
  }
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
