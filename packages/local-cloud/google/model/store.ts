import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Values } from "../../plugin/values.ts";

/** A resource of the emulated API. */
export interface Resource {
  /** Pulumi type token. */
  type: string;
  inputs: Values;
  /** All outputs, including the arguments. */
  outputs: Values;
  /** `making` and `removing`: an operation is in progress, or was interrupted by a crash and can be repeated. */
  status: "making" | "ready" | "removing";
  /** Paths of resources that can't be deleted while this resource exists. */
  uses: string[];
  /** Path of the parent, with which this resource is deleted. */
  parent?: string;
  /** Data of the emulation that the API does not return, e.g. a node pool's hosts. */
  inner: Values;
}

/** Content of the emulated API's store. */
export interface Data {
  /** Resources by path, e.g. `projects/p/global/networks/n`. */
  resources: Record<string, Resource>;
  /** Number of injections by fault rule; see faults.ts. */
  faults: Record<string, number>;
}

/** Interval in milliseconds between attempts to lock the file. */
const lockRetryMs = 5;
/** Timeout in milliseconds for locking the file. Processes hold the lock only while they read and write the file. */
const lockTimeoutMs = 30_000;

/**
 * File store of the emulated API.
 *
 * Writes are atomic (temporary file and rename) and serialized between processes, because the engine starts a
 * plugin per provider resource. The lock is an abstract Unix socket named after the file: the kernel closes
 * it when its process exits, so no stale locks remain.
 */
export class Store {
  private queue: Promise<unknown> = Promise.resolve();

  constructor(private readonly file: string) {}

  /** Returns the content of the file; empty data if the file does not exist. @throws Error when it can't be read */
  read(): Data {
    let content: string;
    try {
      content = readFileSync(this.file, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return { resources: {}, faults: {} };
      throw error;
    }
    return JSON.parse(content) as Data;
  }

  /**
   * Changes the data in place and writes it. Discards all changes if `work` throws. `work` must be fast
   * because it blocks all other changes.
   *
   * @returns the result of `work`
   */
  change<T>(work: (data: Data) => T): Promise<T> {
    const turn = this.queue.then(() => this.locked(work));
    this.queue = turn.catch(() => undefined);
    return turn;
  }

  /** Removes the resource from the store. */
  remove(path: string): Promise<void> {
    return this.change((data) => {
      data.resources = Object.fromEntries(Object.entries(data.resources).filter(([other]) => other !== path));
    });
  }

  private async locked<T>(work: (data: Data) => T): Promise<T> {
    const release = await lock(this.file);
    try {
      const data = this.read();
      const result = work(data);
      this.write(data);
      return result;
    } finally {
      await release();
    }
  }

  private write(data: Data): void {
    mkdirSync(path.dirname(this.file), { recursive: true });
    const beside = `${this.file}.new`;
    // Without an fsync, only a crash of the computer can lose the data, and the hosts don't survive such a crash
    // anyway. An fsync takes seconds while binaries are being built.
    writeFileSync(beside, `${JSON.stringify(data, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(beside, this.file);
  }
}

/** Waits for the lock. @returns a function that releases it */
async function lock(file: string): Promise<() => Promise<void>> {
  const name = `\0k8sfv-google-${createHash("sha256").update(path.resolve(file)).digest("hex").slice(0, 32)}`;
  const deadline = Date.now() + lockTimeoutMs;
  for (;;) {
    const server = await listen(name);
    if (server !== undefined) {
      return () =>
        new Promise((resolve) => {
          server.close(() => {
            resolve();
          });
        });
    }
    if (Date.now() > deadline) {
      throw new Error(
        `${file}: another process has locked it for ${lockTimeoutMs / 1000} s: check whether one is stopped in a debugger`,
      );
    }
    await sleep(lockRetryMs);
  }
}

/** Listens on the abstract socket `name`. Returns undefined if another process already listens on it. */
function listen(name: string): Promise<net.Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen(name, () => {
      resolve(server);
    });
  });
}
