import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Values } from "../plugin/values.ts";

/** A resource as the emulated Google holds it. */
export interface Resource {
  /** Token of its type. */
  type: string;
  inputs: Values;
  /** All that the API says of it, its arguments included. */
  outputs: Values;
  /** `making` and `removing`: work on it has begun and not ended; after a crash it can be done again. */
  status: "making" | "ready" | "removing";
  /** Paths of what it uses: as long as it is there, they can't be deleted. */
  uses: string[];
  /** Path of what it is a part of, and goes with. */
  parent?: string;
  /** What the emulation remembers of it and the real API does not show, e.g. a pool's machines. */
  inner: Values;
}

/** Everything that the emulated Google knows. */
export interface Data {
  /** Resources by path, e.g. `projects/p/global/networks/n`. */
  resources: Record<string, Resource>;
  /** How often each fault that was asked for has struck; see faults.ts. */
  faults: Record<string, number>;
}

/** How often a process that waits for the file tries again. */
const lockRetryMs = 5;
/** Nobody holds the file longer than a write takes; past this something is wrong. */
const lockTimeoutMs = 30_000;

/**
 * The file with everything that the emulated Google knows.
 *
 * Whole at any time: it is written beside and renamed. One change at a time, also among processes (the
 * engine starts a plugin per provider resource): whoever listens on an abstract socket named after the
 * file may change it, and the kernel ends that with the process, so nothing is ever left locked.
 */
export class Store {
  private queue: Promise<unknown> = Promise.resolve();

  constructor(private readonly file: string) {}

  /** What is in the file; nothing when it does not exist. @throws Error when it can't be read */
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
   * Changes the data in place and writes it. When `work` throws, nothing is changed. `work` has to be
   * quick: everyone else waits.
   *
   * @returns what `work` returns
   */
  change<T>(work: (data: Data) => T): Promise<T> {
    const turn = this.queue.then(() => this.locked(work));
    this.queue = turn.catch(() => undefined);
    return turn;
  }

  /** Forgets the resource. */
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
    // Not synced to the disk: a killed process loses nothing without, the machines don't survive a lost
    // machine either, and a sync takes seconds while binaries are built.
    writeFileSync(beside, `${JSON.stringify(data, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(beside, this.file);
  }
}

/** Waits until this process alone may change the file. @returns what gives it free again */
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
        `${file}: another process has held it for ${lockTimeoutMs / 1000} s; is one stopped in a debugger?`,
      );
    }
    await sleep(lockRetryMs);
  }
}

/** A server on the socket of that name, undefined when another one has it. */
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
