/**
 * The canary: an empty second Pushgateway, in a child process, that receives each push first. A push that crashes or
 * hangs the canary, or makes its metrics unreadable, would do the same to the Pushgateway, which is the same program.
 * Therefore the proxy rejects such a push.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { ACCEPT, InvalidExpositionError, pushedGroup } from "./exposition.ts";
import type { Request, Response, Upstream } from "./http.ts";
import { send, textResponse, TimeoutError, TooLargeError, upstream } from "./http.ts";
import { counters } from "./metrics.ts";
import { familySizes, type FamilySizes } from "./quota.ts";
import { CANARY_PORT, CANARY_PROGRAM, MAX_PUSH_BYTES } from "./settings.ts";

/** A push as parsed by the canary. */
export interface AcceptedPush {
  /** Labels of the group; undefined if the path doesn't identify a group. */
  group: string | undefined;
  /** Metric families in the text exposition format. */
  text: Buffer;
}

export type Verdict = { accepted: AcceptedPush } | { refused: Response };

/**
 * Maximum size of the canary's data segment in KiB (RLIMIT_DATA, see setrlimit(2)). A push that needs more memory
 * crashes the canary and is rejected. The Pushgateway has more than twice as much memory.
 */
const CANARY_MEMORY_KIB = 192 * 1024;
/** Maximum bytes of a push in the text exposition format. */
const MAX_TEXT_BYTES = 2 * MAX_PUSH_BYTES;
/** Maximum bytes of the canary's own metrics, which are some 20 kB. */
const OWN_PAGE_BYTES = 2 ** 17;
/** Timeout in ms of a request to the canary, which processes the largest push within 2 s on an idle host. */
const TRIAL_TIMEOUT_MS = 30_000;
const START_TIMEOUT_MS = 10_000;
/**
 * Maximum number of new canaries that one push is tried on. A failure may have another cause than the push, e.g. a
 * signal that ends the canary. The proxy then repeats the trial on a new canary, and rejects the push after this number
 * of failures.
 */
const MAX_KILLED = 5;
/** Maximum time in ms that the proxy waits, after a failed trial, to see whether the canary's process ends. */
const EXIT_MS = 200;

interface Canary {
  child: ChildProcess;
  at: Upstream;
  used: boolean;
}

let current: Canary | undefined;
let queue: Promise<unknown> = Promise.resolve();

/** Sends a push to the canary. Pushes are tried one at a time, in the order of the calls. */
export async function tryPush(push: Request): Promise<Verdict> {
  return inTurn(() => tryNow(push));
}

/**
 * Returns the labels of an accepted push's group and the size of each of its metric families; undefined if the canary
 * has no group after the push. A size is the length of the family as JSON, as in the Pushgateway's API.
 */
export async function sizesOf(push: Request): Promise<FamilySizes | undefined> {
  return inTurn(async () => {
    const { at } = await ready();
    await send(at, push, TRIAL_TIMEOUT_MS);
    const sizes = await familySizes(at);
    await send(at, { ...push, method: "DELETE" }, TRIAL_TIMEOUT_MS);
    return sizes;
  });
}

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const result = queue.then(work);
  queue = result.catch(() => undefined);
  return result;
}

/** Stops the canary's process. */
export function stopCanary(): void {
  current?.child.kill("SIGKILL");
}

async function tryNow(push: Request): Promise<Verdict> {
  for (let killed = 0; ;) {
    const canary = await ready();
    const isNew = !canary.used;
    canary.used = true;
    try {
      return await tryOn(canary, push);
    } catch (error) {
      if (error instanceof TooLargeError) {
        await end(canary);
        return refuse(413, `has more than ${MAX_TEXT_BYTES} bytes as text`);
      }
      const endedItself = await hasEndedItself(canary);
      await end(canary);
      const isFault = isNew && (endedItself || error instanceof InvalidExpositionError);
      if (isNew && !isFault) killed += 1;
      if (isFault || error instanceof TimeoutError || killed === MAX_KILLED) {
        const text = `would end the Pushgateway, or make its metrics unreadable (${String(error)})`;
        return refuse(400, text);
      }
    }
  }
}

/**
 * Returns whether the canary exited with an exit code, e.g. after a failed memory allocation, and was not killed by a
 * signal.
 */
async function hasEndedItself({ child }: Canary): Promise<boolean> {
  for (let waited = 0; waited < EXIT_MS && !hasEnded(child); waited += 5) await sleep(5);
  return child.exitCode !== null;
}

/**
 * Tries a push on the canary, and removes it from the canary.
 *
 * @throws Error if the canary fails, because of this push or an earlier one
 */
async function tryOn({ at }: Canary, push: Request): Promise<Verdict> {
  const ask = (method: string, path: string, headers = {}) =>
    send(
      at,
      { method, path, headers, body: Buffer.alloc(0) },
      TRIAL_TIMEOUT_MS,
      MAX_TEXT_BYTES + OWN_PAGE_BYTES,
    );
  const response = await send(at, push, TRIAL_TIMEOUT_MS);
  if (response.status >= 500) throw new Error(`the canary responded with ${response.status}`);
  const clear = async () => {
    const { status } = await ask("DELETE", push.path);
    if (status >= 500) throw new Error(`the canary responded to DELETE with ${status}`);
  };
  if (response.status >= 400) {
    // The canary, like each Pushgateway, keeps a group even if it rejects the group's first push.
    await clear();
    return { refused: response };
  }
  if (response.status >= 300) {
    return refuse(400, "has an empty, . or .. segment in its path: is a variable in the URL empty?");
  }
  const page = await ask("GET", "/metrics", { accept: ACCEPT });
  if (page.status !== 200) throw new InvalidExpositionError(page.body.toString().trim().slice(0, 300));
  const group = pushedGroup(page.body);
  await clear();
  return { accepted: { group: group?.labels, text: group?.text ?? Buffer.alloc(0) } };
}

function refuse(status: number, why: string): Verdict {
  return { refused: textResponse(status, `Not stored: the push ${why}`) };
}

async function ready(): Promise<Canary> {
  if (current !== undefined && !hasEnded(current.child)) return current;
  current = await start();
  return current;
}

async function start(): Promise<Canary> {
  const flags = [`--web.listen-address=127.0.0.1:${CANARY_PORT}`, "--log.level=error"];
  const script = 'ulimit -d "$0" && exec "$@"';
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    counters.canaryStarts += 1;
    const child = spawn("/bin/sh", ["-c", script, `${CANARY_MEMORY_KIB}`, CANARY_PROGRAM, ...flags], {
      stdio: ["ignore", "ignore", "inherit"],
      env: {},
    });
    child.on("error", (error) => {
      console.error(`the canary does not start: ${String(error)}`);
    });
    const canary = { child, at: upstream(CANARY_PORT), used: false };
    while (!hasEnded(child) && Date.now() < deadline) {
      if (await warmUp(canary.at)) return canary;
      await sleep(5);
    }
    await end(canary);
    await sleep(5);
  }
  throw new Error("the canary does not start");
}

/**
 * Pushes to a new canary once, because a Pushgateway exposes some of its own families only after its first push and
 * scrape. The canary must reject pushes that conflict with these families.
 */
async function warmUp(at: Upstream): Promise<boolean> {
  try {
    for (const [method, path] of [
      ["PUT", "/metrics/job/warm-up"],
      ["GET", "/metrics"],
      ["DELETE", "/metrics/job/warm-up"],
    ] as const) {
      await send(at, { method, path, headers: {}, body: Buffer.alloc(0) }, START_TIMEOUT_MS);
    }
    return true;
  } catch {
    return false;
  }
}

async function end({ child, at }: Canary): Promise<void> {
  at.agent.destroy();
  if (hasEnded(child)) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

function hasEnded({ exitCode, signalCode, pid }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null;
}
