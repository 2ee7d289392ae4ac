import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { forbiddenModules, type GoLicences } from "../licences/policy.ts";
import { run, ToolchainError } from "./go.ts";
import { type Build, go } from "./layout.ts";

const found = z.record(z.string(), z.array(z.string()));

/** Folder of the Go program that reads licence files. */
const READER = resolve(import.meta.dirname, "..", "licences");

/** Version of a module, or of the module that replaces it. A folder that replaces it has none. */
const VERSION = "{{if and .Replace .Replace.Version}}{{.Replace.Version}}{{else}}{{.Version}}{{end}}";
/** One line for each package that is compiled into the binaries, without the standard library. */
const PACKAGE = `{{with .Module}}{{if not .Main}}{{.Path}}\t${VERSION}\t{{.Dir}}\t{{$.Dir}}{{end}}{{end}}`;

/**
 * Reads the licence files of all Go modules that are linked into a tool's binaries: the files from each package's
 * folder up to its module's.
 *
 * @param cwd - folder of the Go module from which the tool is built
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

/** @throws ToolchainError that names each module of a tool under a licence that isn't allowed */
export function refuseLicences(tool: string, licences: GoLicences): void {
  const forbidden = forbiddenModules(licences);
  if (forbidden.length === 0) return;
  throw new ToolchainError(
    `${tool} links what may not be linked here (local/licences/policy.ts). Leave it out, or add a licence that you ` +
      `have read:\n${forbidden.map((line) => `  ${line}`).join("\n")}`,
  );
}
