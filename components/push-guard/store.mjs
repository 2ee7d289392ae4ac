// @ts-check
// The guard's side towards the push gateway: stores pushes, batch after batch, and answers for the disk.
import { randomUUID } from "node:crypto";
import { open, readFile, stat } from "node:fs/promises";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** @typedef {{ method: string, path: string, headers: Record<string, string>, body: Buffer }} Question */
/** @typedef {{ status: number, headers: import("node:http").IncomingHttpHeaders, body: Buffer }} Answer */
/** @typedef {{ question: Question, deadline: number, answer: (answer: Answer) => void }} Push */

/** So many pushes share one mark. */
const BATCH = 64;
/** So much is sent to the gateway at once, in bytes. */
const AT_ONCE_BYTES = 4 * 2 ** 20;
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

/** The gateway's persistence file. */
const file = process.env.GUARD_FILE ?? "";
/** "USER:PASSWORD" of the gateway; empty when it asks nobody. */
const credentials = process.env.GUARD_CREDENTIALS ?? "";
/** The header that it wants to see, if any. */
export const authorization =
  credentials === "" ? undefined : `Basic ${Buffer.from(credentials).toString("base64")}`;

/** Where the gateway is: in the same pod, and for nobody else. */
export const gateway = {
  host: "127.0.0.1",
  port: Number(process.env.GUARD_GATEWAY_PORT),
  agent: new Agent({ keepAlive: true, maxSockets: 64 }),
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

/**
 * Resolves when everything that this life of the gateway took in before is in its file, and that on the disk.
 *
 * @param {number} number
 */
async function persisted(number) {
  const mark = randomUUID();
  const help = `# HELP push_guard Pushes before this mark are on the disk: ${mark}`;
  const text = `${help}\n# TYPE push_guard gauge\npush_guard 1\n`;
  const deadline = Date.now() + MARK_TIMEOUT_MS;
  let marked = 0;
  let seen = "";
  for (;;) {
    if (Date.now() > marked + MARK_AGAIN_MS) {
      const { status } = await askAsGuard("PUT", "/metrics/job/push-guard", text);
      if (status >= 300) throw new Error(`the push gateway answered ${status} to the guard's mark`);
      marked = Date.now();
    }
    const found = await stat(file, { bigint: true }).catch(() => undefined);
    const version = found === undefined ? seen : `${found.ino} ${found.mtimeNs}`;
    if (version !== seen && (await readFile(file)).includes(mark)) break;
    seen = version;
    if (!isLife(number)) throw new Error("the push gateway ended meanwhile");
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
 * The gateway's answers, once they hold for good.
 *
 * @param {Push[]} batch
 * @returns {Promise<Answer[]>}
 */
async function store(batch) {
  const { number, there } = life;
  if (!there) throw new Error("the push gateway is not there");
  const answers = [];
  for (const part of portions(batch)) answers.push(...(await askTogether(part)));
  if (answers.some(({ status }) => status < 300)) await persisted(number);
  if (!isLife(number)) throw new Error("the push gateway ended meanwhile");
  return answers;
}

/**
 * Pushes side by side: as many as have the size that one may have, so that the gateway takes no more memory than
 * for that one.
 *
 * @param {Push[]} batch
 * @returns {Push[][]}
 */
function portions(batch) {
  /** @type {Push[][]} */
  const parts = [];
  let size = Infinity;
  for (const push of batch) {
    size += push.question.body.length;
    if (size > AT_ONCE_BYTES) {
      parts.push([]);
      size = push.question.body.length;
    }
    parts.at(-1)?.push(push);
  }
  return parts;
}

/**
 * The gateway's answers. None is under way any more when one of them fails: what came late would undo a later push.
 *
 * @param {Push[]} pushes
 * @returns {Promise<Answer[]>}
 */
async function askTogether(pushes) {
  const asked = await Promise.allSettled(pushes.map(({ question }) => ask(question)));
  return asked.map((one) => {
    if (one.status === "rejected") throw one.reason;
    return one.value;
  });
}

/** @param {number} number */
function isLife(number) {
  return life.there && life.number === number;
}

/** @type {Push[]} */
const waiting = [];
let working = false;

/**
 * Has a push stored: its answer is the gateway's, given when it holds, or 503 when it can't be stored.
 *
 * @param {Question} question
 * @returns {Promise<Answer>}
 */
export async function storeSafely(question) {
  return new Promise((answer) => {
    waiting.push({ question, deadline: Date.now() + PATIENCE_MS, answer });
    if (!working) void work();
  });
}

async function work() {
  working = true;
  while (waiting.length > 0) await deliver(waiting.splice(0, BATCH));
  working = false;
}

/** @param {Push[]} batch */
async function deliver(batch) {
  let left = batch;
  while (left.length > 0) {
    try {
      const answers = await store(left);
      for (const [index, { answer }] of left.entries()) answer(answers[index] ?? say(502, "No answer"));
      return;
    } catch (error) {
      left = refuseLate(left, String(error));
    }
    await sleep(100);
  }
}

/**
 * Gives up those that have waited long enough, all of them when the pod ends.
 *
 * @param {Push[]} batch
 * @param {string} why
 * @returns {Push[]} the others
 */
function refuseLate(batch, why) {
  const isLate = (/** @type {Push} */ { deadline }) => ending || Date.now() > deadline;
  const late = batch.filter(isLate);
  if (late.length > 0) console.error(`${late.length} pushes refused: ${why}`);
  for (const { answer } of late) answer(say(503, `Not stored, push again: ${why}`));
  return batch.filter((push) => !late.includes(push));
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
