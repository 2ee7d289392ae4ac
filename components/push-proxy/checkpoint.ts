/** Tells when the Pushgateway's persistence file holds what was pushed. */
import { randomUUID } from "node:crypto";
import { open, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ask, connectionEpoch, ENDED } from "./gateway.ts";
import { counters } from "./metrics.ts";
import { PERSISTENCE_FILE } from "./settings.ts";

/** A checkpoint takes some milliseconds; this is for a disk that is slow or full. */
const CHECKPOINT_TIMEOUT_MS = 5_000;
const POLL_MS = 2;
/**
 * The Pushgateway can miss what arrives as it begins to write its file, until the next push (its
 * storage/diskmetricstore.go, loop, takes the time of a write before the write is in). So the checkpoint is pushed again.
 */
const REPEAT_MS = 250;

counters.storedBytes = (await stat(PERSISTENCE_FILE).catch(() => undefined))?.size ?? 0;

let current: Promise<void> | undefined;
let next: Promise<void> | undefined;

/**
 * Resolves when everything that the Pushgateway accepted before the call is on the disk. All callers during one
 * checkpoint, which may have begun too early for them, share the next one.
 */
export async function checkpoint(): Promise<void> {
  next ??= (current ?? Promise.resolve())
    .catch(() => undefined)
    .then(() => {
      current = next;
      next = undefined;
      return write();
    });
  return next;
}

/** Pushes a unique text, and waits until the Pushgateway's file has it, and with it all that came before. */
async function write(): Promise<void> {
  const epoch = connectionEpoch();
  const id = randomUUID();
  const help = `# HELP push_proxy_checkpoint Pushes before this one are on the disk: ${id}`;
  const text = `${help}\n# TYPE push_proxy_checkpoint gauge\npush_proxy_checkpoint 1\n`;
  let pushed = 0;
  // Set when the first push is in: it is processed after those before it.
  let deadline = Infinity;
  let seen = "";
  for (;;) {
    if (Date.now() > pushed + REPEAT_MS) {
      const { status } = await ask("PUT", "/metrics/job/push-proxy", text);
      if (status >= 300) throw new Error(`the Pushgateway answered ${status} to the proxy's checkpoint`);
      pushed = Date.now();
      deadline = Math.min(deadline, pushed + CHECKPOINT_TIMEOUT_MS);
    }
    const found = await stat(PERSISTENCE_FILE, { bigint: true }).catch(() => undefined);
    const version = found === undefined ? seen : `${found.ino} ${found.mtimeNs}`;
    if (version !== seen) {
      const content = await readFile(PERSISTENCE_FILE);
      counters.storedBytes = content.length;
      if (content.includes(id)) break;
    }
    seen = version;
    if (epoch === undefined || connectionEpoch() !== epoch) throw new Error(ENDED);
    if (Date.now() > deadline) throw new Error("the Pushgateway does not write its file");
    await sleep(POLL_MS);
  }
  await Promise.all([flush(PERSISTENCE_FILE), flush(path.dirname(PERSISTENCE_FILE))]);
}

async function flush(name: string): Promise<void> {
  const handle = await open(name, "r");
  await handle.sync().finally(() => handle.close());
}
