// @ts-check
// Stores pushes at the gateway, and answers for the disk.
import { setTimeout as sleep } from "node:timers/promises";
import { persisted, storedBytes } from "./disk.mjs";
import { ask, ENDED, isLife, life, say } from "./gateway.mjs";
import { groupOf } from "./group.mjs";
import { makeRoom } from "./room.mjs";

/** @typedef {import("./gateway.mjs").Answer} Answer */
/** @typedef {import("./gateway.mjs").Question} Question */

/** So many bytes of pushes are at the gateway at once, as many as one may have: it takes memory for no more. */
const AT_ONCE_BYTES = 4 * 2 ** 20;
/** And so many pushes: it takes them in one by one, and the marks wait behind them. */
const AT_ONCE = 16;
const room = makeRoom(AT_ONCE_BYTES);
/** A push of more bytes has that room until it is on the disk: `storedBytes` then counts it before the next one. */
const SMALL_BYTES = AT_ONCE_BYTES / AT_ONCE;
/** A push waits so long for a gateway that starts again, which takes it a second or two. */
export const PATIENCE_MS = 25_000;
/** Between two tries to store a push. */
const RETRY_MS = 100;

/** Nothing is taken in any more when the gateway's file has so many bytes. */
export const maxStoreBytes = Number(process.env.GUARD_MAX_STORE_BYTES);
let ending = false;

/** The pod ends, and the gateway with it: what can't be stored now is refused at once, for the next pod to take. */
export function end() {
  ending = true;
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
    if (question.method !== "DELETE" && storedBytes > maxStoreBytes) return noRoom();
    answer = await ask(question);
    if (length > SMALL_BYTES) await kept(answer, deadline);
  } finally {
    room.leave(size);
  }
  if (length <= SMALL_BYTES) await kept(answer, deadline);
  if (!isLife(number)) throw new Error(ENDED);
  return answer;
}

function noRoom() {
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
