import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { build } from "esbuild";
import { ensureCached } from "../images/cache.ts";
import { grafanaRecipe, type Recipe } from "../images/recipes.ts";

/**
 * SQLite's WebAssembly file. The package reads the file from the directory of its own code, so the file must be next to
 * the bundle.
 */
const WASM = createRequire(import.meta.url).resolve("node-sqlite3-wasm/dist/node-sqlite3-wasm.wasm");

/**
 * Bundles the stand-in for Grafana. Returns the recipe of its image.
 *
 * @param cacheDir the cache of built tools and images
 * @param pages directory of the built pages. Its path must contain a hash of its contents, because the image's cache
 * key depends only on the path. @default an image without pages
 * @throws BuildFailure if the program can't be compiled
 */
export async function grafanaStandIn(cacheDir: string, pages?: string): Promise<Recipe> {
  const { outputFiles } = await build({
    entryPoints: [path.join(import.meta.dirname, "main.ts")],
    write: false,
    bundle: true,
    minify: true,
    keepNames: true,
    platform: "node",
    // The program is started by its shebang line, because the image has no shell. Node expects CommonJS in a file
    // without an extension.
    format: "cjs",
    target: "node20",
    // V8's optimizing compiler would need 60 MiB for SQLite's WebAssembly, and keep most of it.
    banner: { js: "#!/usr/local/bin/node --liftoff-only" },
    define: { "import.meta.dirname": "__dirname" },
  });
  const program = outputFiles[0]?.contents ?? new Uint8Array();
  const wasm = await readFile(WASM);
  const key = createHash("sha256").update(program).update(wasm).digest("hex").slice(0, 16);
  const bin = await ensureCached(cacheDir, `grafana-stand-in-${key}`, async (out) => {
    await mkdir(out, { recursive: true });
    await writeFile(path.join(out, "grafana"), program, { mode: 0o755 });
    await copyFile(WASM, path.join(out, path.basename(WASM)));
  });
  return grafanaRecipe({ bin, pages });
}
