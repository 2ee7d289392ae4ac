/** Waits until the Pushgateway's persistence file contains accepted pushes. */
import { randomUUID } from "node:crypto";
import { open, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ask, connectionEpoch, ENDED } from "./gateway.ts";
import { counters } from "./metrics.ts";
import { PERSISTENCE_FILE } from "./settings.ts";

/** Timeout in ms. A checkpoint takes some milliseconds, unless the disk is slow or full. */
const CHECKPOINT_TIMEOUT_MS = 5_000;
const POLL_MS = 2;
/**
 * Interval in ms after which a checkpoint repeats its push. The Pushgateway notes the time of a push before it
 * processes the push (`loop` in its storage/diskmetricstore.go). If it starts to write its file between these two
 * steps, the file lacks the push and isn't written again until another push arrives.
 */
const REPEAT_MS = 250;

counters.storedBytes = (await stat(PERSISTENCE_FILE).catch(() => undefined))?.size ?? 0;

let current: Promise<void> | undefined;
let next: Promise<void> | undefined;

/**
 * Resolves when all pushes that the Pushgateway accepted before the call are on the disk. A checkpoint that is already
 * running may have begun before these pushes, so all calls during a checkpoint share the next one.
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

/**
 * Pushes a unique text and waits until the Pushgateway's file contains it. The file then also contains all earlier
 * pushes.
 */
async function write(): Promise<void> {
  const epoch = connectionEpoch();
  const id = randomUUID();
  const help = `# HELP push_proxy_checkpoint Pushes before this one are on the disk: ${id}`;
  const text = `${help}\n# TYPE push_proxy_checkpoint gauge\npush_proxy_checkpoint 1\n`;
  let pushed = 0;
  // The timeout begins when the Pushgateway has responded to the checkpoint's push. The response itself may take longer
  // than this timeout, because the Pushgateway first processes all earlier pushes.
  let deadline = Infinity;
  let seen = "";
  for (;;) {
    if (Date.now() > pushed + REPEAT_MS) {
      const { status } = await ask("PUT", "/metrics/job/push-proxy", text);
      if (status >= 300)
        throw new Error(`the Pushgateway responded to the proxy's checkpoint with ${status}`);
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
