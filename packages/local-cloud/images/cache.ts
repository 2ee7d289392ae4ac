import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { fill, sweep } from "../toolchain/cache.ts";
import type { Binaries, Recipe } from "./recipes.ts";

/** Built binaries and the cache directory of binaries and images. The toolchain implements it. */
export interface ImageSource extends Binaries {
  readonly cacheDir: string;
}

/** Options of {@link ensureImageStore}. */
export interface ImageOptions {
  /** Progress callback, called with one line before each step. @default no output */
  report?: (line: string) => void;
  /** Additional images. @default none */
  more?: Recipe[];
  /** Archives of the images in versions.ts, to use instead of images made from built binaries. @default none */
  official?: string[];
}

/** Version of the image format. Increment it when images are made differently, to invalidate cached images. */
const format = 1;

/** Returns a cache key of the values: 16 hexadecimal digits of their SHA-256 digest. */
export function contentKey(of: readonly object[]): string {
  const text = JSON.stringify({ format, arch: process.arch, of });
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/**
 * Returns a cached directory, and creates it with `make` if it does not exist. `make` fills a temporary directory,
 * which is moved to its final path when complete; temporary directories of killed processes are removed first.
 *
 * @returns the directory's path
 */
export async function ensureCached(
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
