// Makes Node run the program's TypeScript. Pulumi.yaml loads this file before everything else.
//
// Node 22.18 and newer strip types themselves and cache the compiled code, so a preview takes a third less time.
// For older versions, strip-types.mjs strips the types, with the library that newer versions bundle.
//
// There are no source maps on purpose. Types are replaced with spaces, so line numbers are right without source maps.
// With source maps, Node maps the SDK's frames to files that don't exist (`node_modules/@pulumi/output.ts`). Then the
// colored `util.inspect`, which the SDK calls for each unhandled error, runs for 45 s, uses 4 GB, and fails because
// its string exceeds Node's maximum length.
import * as module from "node:module";
import { fileURLToPath } from "node:url";

// @types/node describes Node 20, which lacks `process.features.typescript` and `module.enableCompileCache`.
/** @typedef {{ typescript?: string | false }} Features */
/** @typedef {{ enableCompileCache?: (folder: string) => void }} Newer */
const { typescript } = /** @type {Features} */ (/** @type {unknown} */ (process.features));
const { enableCompileCache } = /** @type {Newer} */ (/** @type {unknown} */ (module));

if (typescript) enableCompileCache?.(fileURLToPath(new URL("node_modules/.cache/node", import.meta.url)));
else module.register("./strip-types.mjs", import.meta.url);
