// @ts-check
// What the gateway has written to its disk.
import { randomUUID } from "node:crypto";
import { open, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { askAsGuard, ENDED, isLife, life } from "./gateway.mjs";

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

/** How much the gateway holds: the bytes that its file had when it was last looked at. */
export let storedBytes = (await stat(file).catch(() => undefined))?.size ?? 0;

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
export async function persisted() {
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
