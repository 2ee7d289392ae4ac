// Module hook for Node versions that don't strip types themselves; loader.mjs registers it.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { transformSync } from "@swc/wasm-typescript";

/**
 * Loads `.ts` files as ES modules with their types blanked out, so that lines and columns stay the same.
 *
 * @type {import("node:module").LoadHook}
 */
export async function load(url, context, nextLoad) {
  if (!url.endsWith(".ts")) return nextLoad(url, context);
  const source = await readFile(fileURLToPath(url), "utf8");
  const { code } = transformSync(source, { filename: fileURLToPath(url), mode: "strip-only" });
  return { format: "module", shortCircuit: true, source: code };
}
