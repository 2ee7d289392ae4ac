import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { fill, sweep } from "../toolchain/cache.ts";
import type { Binaries, Recipe } from "./recipes.ts";

/** Built binaries, and the cache that they and the images lie in; the toolchain is one. */
export interface ImageSource extends Binaries {
  readonly cacheDir: string;
}

/** Who is told about the work, and what there is to do besides. */
export interface ImageOptions {
  /** Called with one line before each piece of work. Default: silent. */
  report?: (line: string) => void;
  /** Images besides the environment's own. */
  more?: Recipe[];
  /** Archives with the images of versions.ts, which are then not made of built binaries. @default none */
  official?: string[];
}

/** Changed whenever the way an image is made changes, so that older files of the cache are not taken. */
const format = 1;

/** What tells what is made of these values from anything else: 16 hex digits. */
export function contentKey(of: readonly object[]): string {
  const text = JSON.stringify({ format, arch: process.arch, of });
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/**
 * Has `make` fill a folder of the cache, unless it is there already. It appears only when it is whole; what
 * a killed process left half made is removed first.
 *
 * @returns the folder's path
 */
export async function inCache(
  cacheDir: string,
  name: string,
  make: (out: string, scratch: string) => Promise<void>,
): Promise<string> {
  const folder = path.join(cacheDir, "images", name);
  await mkdir(path.dirname(folder), { recursive: true });
  await sweep(path.dirname(folder));
  await fill(folder, ({ out, scratch }) => make(out, scratch));
  return folder;
}
