import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { ALL_TOOLS, type Tool } from "../toolchain/tools.ts";
import { hasBinaries, readGoModules, type GoModules } from "./go-modules.ts";
import { goLicence, npmLicences, type NpmLock } from "../toolchain/licences/policy.ts";
import { DEBIAN, IMAGES, RUNTIMES } from "./programs.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");

/** Path of the page with the licences of everything that is built or run. */
export const LICENCES_PAGE = path.join(ROOT, "docs", "licences.md");

/** Directories with a package.json and an npm lock file. */
export const NPM_PROJECTS = [
  ".",
  "packages/local-cloud/grafana/pages",
  "packages/local-cloud/toolchain/modules/prometheus/pages",
].filter((folder) => existsSync(path.join(ROOT, folder, "package-lock.json")));

/** Reads the npm lock file of a directory. */
export function readLock(folder: string): NpmLock {
  return JSON.parse(readFileSync(path.join(ROOT, folder, "package-lock.json"), "utf8")) as NpmLock;
}

/** Returns docs/licences.md from go-modules.json, npm lock files, versions.ts and programs.ts. */
export function licencesPage(): string {
  const found = readGoModules();
  const rows = [
    ...ALL_TOOLS.filter(hasBinaries).map((tool) => toolRow(tool, found)),
    ...NPM_PROJECTS.map(npmRow),
    ...Object.entries(RUNTIMES).map(([name, licence]) => [name, licence, "Installed on the machine; run"]),
    ...Object.entries(DEBIAN).map(([name, licence]) => [
      `Debian package \`${name}\``,
      licence,
      "Installed on the machine; linked into nothing that is deployed",
    ]),
    ...Object.entries(IMAGES).map(([name, licence]) => [
      `Image \`${name}\``,
      licence,
      "Run as published in Google Cloud",
    ]),
  ];
  return [
    "<!-- Written by `npm run licences` (needs Go) and `npm run docs`. -->",
    "",
    "# Licences",
    "",
    "The licence of everything that this project builds or runs. Nothing under a copyleft licence but the Mozilla Public",
    "License is compiled, linked or bundled: `npm run check` compares this page and `packages/local-cloud/licences/go-modules.json` with",
    "the Go modules and npm's lock files, and the toolchain reads the licence files of what it links into each program. The",
    "licences that are allowed are in `packages/local-cloud/toolchain/licences/policy.ts`. This project is under the Apache License 2.0.",
    "",
    "| What | Licence | How it is used |",
    "| --- | --- | --- |",
    ...rows.map((row) => `| ${row.join(" | ")} |`),
    "",
  ].join("\n");
}

function toolRow(tool: Tool, found: GoModules): string[] {
  const licences = Object.entries(found.tools[tool.name]?.licences ?? {});
  const count = licences.reduce((sum, [, modules]) => sum + modules, 0);
  const ids = new Set(licences.flatMap(([licence]) => licence.split(" AND ")));
  const binaries = Object.keys(tool.binaries).map((name) => `\`${name}\``);
  const own = new Set(Object.values(tool.binaries).map((main) => licenceOfPackage(main, found)));
  return [
    binaries.join(", "),
    [...own].join("; "),
    count === 0
      ? "Built here from Go; links no module"
      : `Built here from Go; links ${count} modules under ${[...ids].sort().join(", ")}`,
  ];
}

/** Returns the licence of the Go module of a program's main package. */
function licenceOfPackage(main: string, { modules }: GoModules): string {
  if (main === ".") return "Apache-2.0 (this project)";
  const [module, ids] =
    Object.entries(modules)
      .filter(([module]) => `${main}/`.startsWith(`${module.split("@")[0] ?? ""}/`))
      .sort(([a], [b]) => b.length - a.length)[0] ?? missing(`Go package ${main}`);
  return goLicence(module, ids);
}

/** Returns the row for all packages of a lock file. The lock file contains their licences too. */
function npmRow(folder: string): string[] {
  const lock = path.join(folder, "package-lock.json");
  const licences = [...new Set(npmLicences(readLock(folder)).values())].sort();
  return [`npm packages of \`${lock}\``, licences.join(", "), "Imported, bundled, or run as tools"];
}

function missing(what: string): never {
  throw new Error(
    `The licence of ${what} is unknown: run npm run licences, or add it to packages/local-cloud/licences/programs.ts`,
  );
}
