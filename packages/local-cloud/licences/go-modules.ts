import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { ALL_TOOLS, type Tool } from "../toolchain/tools.ts";

/** Path of the file that `npm run licences` writes. */
export const GO_MODULES = path.join(import.meta.dirname, "go-modules.json");

const schema = z.strictObject({
  /** SPDX identifiers of every Go module that any tool links, by `path@version`. */
  modules: z.record(z.string(), z.array(z.string())),
  /**
   * For each tool, `licences` is the number of its modules under each licence, and `of` is the digest ({@link
   * sourceOf}) of the sources for which they were counted.
   */
  tools: z.record(z.string(), z.strictObject({ of: z.string(), licences: z.record(z.string(), z.number()) })),
});

/** Licences of the Go modules that are linked into the toolchain's programs. */
export type GoModules = z.infer<typeof schema>;

/** Reads the file that `npm run licences` wrote. */
export function readGoModules(): GoModules {
  return schema.parse(JSON.parse(readFileSync(GO_MODULES, "utf8")));
}

/** Returns a digest of everything that determines which Go modules a tool links. */
export function sourceOf(tool: Tool): string {
  const { module, binaries, tags } = tool;
  const files = ["go.mod", "go.sum", "main.go"]
    .map((name) => path.join(import.meta.dirname, "..", module, name))
    .filter((file) => existsSync(file));
  const hash = createHash("sha256").update(JSON.stringify({ binaries, tags }));
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest("hex").slice(0, 16);
}

/** Returns whether a tool contains binaries. Others contain only files from a Go module, e.g. CRDs. */
export function hasBinaries(tool: Tool): boolean {
  return Object.keys(tool.binaries).length > 0;
}

/** Returns the names of the tools whose modules have changed since their licences were read. */
export function outdated(found: GoModules): string[] {
  return [
    ...ALL_TOOLS.filter((tool) => hasBinaries(tool) && found.tools[tool.name]?.of !== sourceOf(tool)).map(
      ({ name }) => name,
    ),
    ...Object.keys(found.tools).filter((name) => !ALL_TOOLS.some((tool) => tool.name === name)),
  ];
}
