import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { forbiddenModules, type GoLicences } from "./licences/policy.ts";
import { run, ToolchainError } from "./go.ts";
import { type Build, go } from "./layout.ts";

const found = z.record(z.string(), z.array(z.string()));

/** Directory of the Go program that reads licence files. */
const READER = join(import.meta.dirname, "licences");

/** Go template: version of a module, or of the module that replaces it. A directory that replaces it has no version. */
const VERSION = "{{if and .Replace .Replace.Version}}{{.Replace.Version}}{{else}}{{.Version}}{{end}}";
/** Go template: one line for each linked package that is not in the standard library or in the main module. */
const PACKAGE = `{{with .Module}}{{if not .Main}}{{.Path}}\t${VERSION}\t{{.Dir}}\t{{$.Dir}}{{end}}{{end}}`;

/**
 * Reads the licence files of all Go modules linked into a tool's binaries, in each linked package's directory and in
 * its parent directories up to the module's root.
 *
 * @param cwd directory of the Go module from which the tool is built
 */
export async function linkedLicences(build: Build, cwd: string): Promise<GoLicences> {
  const { tags, binaries } = build.tool;
  const packages = await go(build, cwd, [
    ...["list", "-deps", "-f", PACKAGE, ...(tags === undefined ? [] : ["-tags", tags])],
    ...Object.values(binaries),
  ]);
  const list = join(build.scratch, "packages");
  const lines = packages.split("\n").filter((line) => line !== "");
  if (lines.length === 0) return {};
  await writeFile(list, lines.join("\n"));
  const { log } = build;
  return found.parse(JSON.parse(await run("go", ["run", ".", list], { cwd: READER, log })));
}

/**
 * Checks the licences of a tool's linked modules.
 *
 * @throws ToolchainError that names each module with a licence that is not allowed
 */
export function checkLicences(tool: string, licences: GoLicences): void {
  const forbidden = forbiddenModules(licences);
  if (forbidden.length === 0) return;
  throw new ToolchainError(
    `${tool} links modules whose licences are not allowed (packages/local-cloud/toolchain/licences/policy.ts). Remove them, or allow a licence after you ` +
      `have read it:\n${forbidden.map((line) => `  ${line}`).join("\n")}`,
  );
}
