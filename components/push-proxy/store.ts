/** Stores pushes in the Pushgateway and waits until they are on the disk. */
import { setTimeout as sleep } from "node:timers/promises";
import { ByteBudget } from "./byte-budget.ts";
import { sizesOf, type AcceptedPush } from "./canary.ts";
import { checkpoint } from "./checkpoint.ts";
import { neverPushed } from "./exposition.ts";
import {
  ask,
  connectionEpoch,
  ENDED,
  gateway,
  GATEWAY_TIMEOUT_MS,
  headersOf,
  readExposition,
} from "./gateway.ts";
import { send, textResponse, type Response } from "./http.ts";
import { exceedsQuota, mayExceedQuota } from "./quota.ts";
import { MAX_PUSH_BYTES, MAX_STORED_BYTES, PUSH_TIMEOUT_MS } from "./settings.ts";
import { staleFamilies } from "./stale-families.ts";

/** A push that the canary accepted, or a deletion. */
export interface Change extends AcceptedPush {
  method: string;
  path: string;
}

/**
 * Maximum total bytes of concurrent pushes to the Pushgateway, whose memory is limited. Equals the maximum size of a
 * single push in the text format (MAX_TEXT_BYTES in canary.ts).
 */
const CONCURRENT_BYTES = 2 * MAX_PUSH_BYTES;
/**
 * Maximum number of concurrent pushes. The Pushgateway processes one at a time, and the push of a checkpoint
 * (checkpoint.ts) waits for all of them.
 */
const CONCURRENT_PUSHES = 16;
const budget = new ByteBudget(CONCURRENT_BYTES);
/**
 * Maximum size in bytes of a small push, which releases its byte budget when the Pushgateway has responded. A larger
 * push holds its budget until it is on the disk: the quota check uses the size of the Pushgateway's file, so many large
 * pushes could otherwise pass the check before the file contains them.
 */
const SMALL_BYTES = CONCURRENT_BYTES / CONCURRENT_PUSHES;
const RETRY_MS = 100;

let isShuttingDown = false;

/** Stops retries of failed changes, because the Pushgateway in the same pod is shutting down too. */
export function stopRetrying(): void {
  isShuttingDown = true;
}

/** The response to each group's most recent change. A later change of the group waits for it. */
const turns = new Map<string, Promise<Response>>();

/**
 * Stores a change. Changes of one group are stored sequentially, so that a retried change doesn't replace a later
 * one.
 *
 * @returns the Pushgateway's response when the change is on the disk, or 503. Never throws.
 */
export async function store(change: Change): Promise<Response> {
  const deadline = Date.now() + PUSH_TIMEOUT_MS;
  const group = change.group ?? change.path;
  const previous = turns.get(group) ?? Promise.resolve();
  const turn = previous.then(() => retry(change, deadline));
  turns.set(group, turn);
  const response = await turn;
  if (turns.get(group) === turn) turns.delete(group);
  return response;
}

async function retry(change: Change, deadline: number): Promise<Response> {
  for (;;) {
    try {
      return await tryOnce(change, deadline);
    } catch (error) {
      if (isShuttingDown || Date.now() >= deadline) {
        console.error(`${change.method} ${change.path} was refused: ${String(error)}`);
        return textResponse(503, `Not stored, push again: ${String(error)}`);
      }
    }
    await sleep(RETRY_MS);
  }
}

async function tryOnce(change: Change, deadline: number): Promise<Response> {
  const size = Math.max(change.text.length, SMALL_BYTES);
  const isSmall = size === SMALL_BYTES;
  await budget.acquire(size);
  const epoch = connectionEpoch();
  let response: Response;
  try {
    if (epoch === undefined) throw new Error("the Pushgateway does not run");
    if (Date.now() > deadline) throw new Error("too many pushes are waiting");
    if (change.method !== "DELETE" && (await isRefusedByQuota(change))) return quotaExceeded();
    response = await sendToGateway(change);
    if (!isSmall) await persist(response, deadline);
  } finally {
    budget.release(size);
  }
  if (isSmall) await persist(response, deadline);
  if (connectionEpoch() !== epoch) throw new Error(ENDED);
  return response;
}

async function sendToGateway({ method, path, group, text }: Change): Promise<Response> {
  const headers = headersOf({ "content-type": "text/plain; version=0.0.4; charset=utf-8" });
  const stale = method === "POST" ? await staleFamilies(path, text) : Buffer.alloc(0);
  const body = Buffer.concat([text, stale]);
  const response = await send(gateway, { method, path, headers, body }, GATEWAY_TIMEOUT_MS);
  if (response.status === 400 && group !== undefined) await deleteIfNeverPushed(path, group);
  return response;
}

/** Deletes a group whose first push was rejected: the Pushgateway keeps such a group with the push time 0. */
async function deleteIfNeverPushed(path: string, group: string): Promise<void> {
  const line = neverPushed(group);
  const found: string[] = [];
  await readExposition((read) => {
    if (read === line) found.push(read);
  });
  if (found.length > 0) await ask("DELETE", path);
}

async function isRefusedByQuota({ method, path, text }: Change): Promise<boolean> {
  if (!mayExceedQuota(text.length)) return false;
  const sizes = await sizesOf({ method: "PUT", path, headers: {}, body: text });
  return sizes !== undefined && (await exceedsQuota(sizes, method === "PUT", gateway));
}

function quotaExceeded(): Response {
  return textResponse(
    507,
    `Not stored: the Pushgateway would hold more than ${MAX_STORED_BYTES} bytes. Delete groups that are no longer needed`,
  );
}

/** Waits until an accepted change is on the disk, or until the deadline if the disk hangs. */
async function persist({ status }: Response, deadline: number): Promise<void> {
  if (status >= 300) return;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error("the disk does not respond"));
    }, deadline - Date.now());
  });
  await Promise.race([checkpoint(), late]).finally(() => {
    clearTimeout(timer);
  });
}
