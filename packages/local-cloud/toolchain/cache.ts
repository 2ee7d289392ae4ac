import { createHash, randomUUID } from "node:crypto";
import { type Dirent, existsSync } from "node:fs";
import { link, mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isRunning, processId } from "../../../lib/process-id.ts";
import type { Go } from "./go.ts";
import type { Tool } from "./tools.ts";

/**
 * Version of the build steps. Increment it when a change of recipes.ts or layout.ts, or of a file that they import,
 * changes the results. Not needed for changes of a tool in tools.ts or of its Go module, because the cache key also
 * hashes these.
 */
const RECIPES_VERSION = 3;

export function defaultCacheDir(): string {
  const base = process.env["XDG_CACHE_HOME"] ?? "";
  return join(base === "" ? join(homedir(), ".cache") : base, "k8sfv-metrics", "toolchain");
}

/** Returns the key of a tool's cache directory, a hash of everything that determines the result. */
export async function cacheKey(tool: Tool, moduleDir: string, go: Go): Promise<string> {
  // Estimates of memory and duration don't change the result.
  const recipe = { ...tool, memory: 0, seconds: 0 };
  const hash = createHash("sha256").update(JSON.stringify([RECIPES_VERSION, recipe, go]));
  const files = (await readdir(moduleDir, { recursive: true, withFileTypes: true }))
    .filter(
      (entry: Dirent) =>
        entry.isFile() &&
        /\.(go|mod|sum|mjs)$|^package(-lock)?\.json$/.test(entry.name) &&
        !entry.name.endsWith("_test.go"),
    )
    .map((entry: Dirent) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of files) {
    const content = await readFile(file);
    hash.update(`${file.slice(moduleDir.length)} ${content.length}\n`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}

/** Directories of a build: `out` becomes the cache directory, `scratch` is removed. */
export interface Workspace {
  out: string;
  scratch: string;
}

/**
 * Builds a cache directory unless it exists. The build writes into a temporary directory, which is renamed
 * when complete, so a directory with the final name is always complete. The lock only avoids duplicate work
 * of two processes.
 */
export async function fill(folder: string, build: (workspace: Workspace) => Promise<void>): Promise<void> {
  const mark = processId(process.pid) ?? String(process.pid);
  const lock = `${folder}.lock`;
  while (!(await takeLock(lock, mark))) {
    if (existsSync(folder)) return;
    await sleep(100);
  }
  const temporary = `${folder}.tmp-${mark}`;
  try {
    if (existsSync(folder)) return;
    await rm(temporary, { recursive: true, force: true });
    const workspace = { out: join(temporary, "out"), scratch: join(temporary, "scratch") };
    await mkdir(workspace.out, { recursive: true });
    await mkdir(workspace.scratch);
    await build(workspace);
    await rename(workspace.out, folder).catch((error: unknown) => {
      // If the directory exists, another process was faster. Its result is equivalent, so the error is ignored.
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
    if ((await readFile(lock, "utf8").catch(() => "")) === mark) await rm(lock, { force: true });
  }
}

async function takeLock(lock: string, mark: string): Promise<boolean> {
  // link(2) creates the lock together with its content, so there is never a lock without an owner. The temporary file's
  // name contains a random part, because one process may wait for the same lock several times at once.
  const ticket = `${lock}-${randomUUID()}.tmp-${mark}`;
  await writeFile(ticket, mark);
  try {
    await link(ticket, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await rm(ticket, { force: true });
  }
  const owner = await readFile(lock, "utf8").catch(() => "");
  if (owner !== "" && !isRunning(owner)) await rm(lock, { force: true });
  return false;
}

/** Removes temporary files of killed builds. */
export async function sweep(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    const owner = /\.tmp-(.+)$/.exec(name)?.[1];
    if (owner !== undefined && !isRunning(owner))
      await rm(join(cacheDir, name), { recursive: true, force: true });
  }
}
