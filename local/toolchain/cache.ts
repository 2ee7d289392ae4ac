import { createHash } from "node:crypto";
import { type Dirent, existsSync, readFileSync } from "node:fs";
import { link, mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Go } from "./go.ts";
import type { Tool } from "./tools.ts";

/** Raised when recipes.ts changes what comes out; tools.ts and the modules count by themselves. */
const RECIPES = 2;

/** Where built tools are kept when nothing else is said. */
export function defaultCacheDir(): string {
  const base = process.env["XDG_CACHE_HOME"] ?? "";
  return join(base === "" ? join(homedir(), ".cache") : base, "k8sfv-metrics", "toolchain");
}

/** The key of a tool's cache folder: everything that decides what comes out. */
export async function cacheKey(tool: Tool, moduleDir: string, go: Go): Promise<string> {
  // How long and how large a build is, is not what comes out.
  const recipe = { ...tool, memory: 0, seconds: 0 };
  const hash = createHash("sha256").update(JSON.stringify([RECIPES, recipe, go]));
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

/** Identifies a process even when its number is used again: the number and its start time. */
function processMark(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The 22nd field; the 2nd may hold spaces and ends at the last bracket.
    return `${pid}-${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""}`;
  } catch {
    return undefined;
  }
}

function isAlive(mark: string): boolean {
  return processMark(Number.parseInt(mark, 10)) === mark;
}

/** Where a build works: `out` becomes the cache folder, `scratch` is thrown away. */
export interface Workspace {
  out: string;
  scratch: string;
}

/**
 * Builds a cache folder unless it is there: into a temporary folder beside it,
 * renamed when whole, so that a folder with the final name is always whole.
 * The lock only spares a second process the work; the rename keeps it correct.
 */
export async function fill(folder: string, build: (workspace: Workspace) => Promise<void>): Promise<void> {
  const mark = processMark(process.pid) ?? String(process.pid);
  const lock = `${folder}.lock`;
  while (!(await takeLock(lock, mark))) {
    if (existsSync(folder)) return;
    await sleep(500);
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
      // Another process was first: its folder is as good.
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
    if ((await readFile(lock, "utf8").catch(() => "")) === mark) await rm(lock, { force: true });
  }
}

async function takeLock(lock: string, mark: string): Promise<boolean> {
  // Linked into place, so that a lock is never seen without its owner.
  const ticket = `${lock}.tmp-${mark}`;
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
  if (owner !== "" && !isAlive(owner)) await rm(lock, { force: true });
  return false;
}

/** Removes what killed builds left behind. */
export async function sweep(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    const owner = /\.tmp-(.+)$/.exec(name)?.[1];
    if (owner !== undefined && !isAlive(owner))
      await rm(join(cacheDir, name), { recursive: true, force: true });
  }
}
