import parse from "spdx-expression-parse";

/**
 * SPDX identifiers of licences under which code may be compiled, linked or bundled: permissive ones and the Mozilla
 * Public License, whose copyleft is limited to files.
 */
const ALLOWED: ReadonlySet<string> = new Set([
  ...[
    "0BSD",
    "Apache-2.0",
    "BlueOak-1.0.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CC0-1.0",
  ],
  ...["ISC", "MIT", "MIT-0", "MPL-2.0", "Python-2.0", "Unicode-3.0", "Unicode-DFS-2016", "Unlicense", "Zlib"],
]);

/** A licence that was found by reading `source`, because neither a licence file nor a `license` field names it. */
interface Reading {
  licence: string;
  /** Source of the licence. */
  source: string;
}

/**
 * Go modules whose licence file doesn't determine the licence: there is no file, it offers a choice, or it is for code
 * that isn't linked.
 */
const READ_GO_MODULES: Readonly<Record<string, Reading>> = {
  "github.com/mattn/go-localereader@v0.0.1": { licence: "MIT", source: "README.md" },
  "github.com/sourcegraph/appdash-data@v0.0.0-20151005221446-73f23eafcf67": {
    licence: "MIT AND Apache-2.0",
    source: "README.md and the licence files of the embedded libraries",
  },
  "github.com/oracle/oci-go-sdk/v65@v65.93.1": { licence: "UPL-1.0 OR Apache-2.0", source: "LICENSE.txt" },
  "github.com/weaveworks/common@v0.0.0-20230728070032-dd9e68f319d5": {
    licence: "Apache-2.0",
    source: "LICENSE. COPYING.LGPL-3 says that it is for tools/integration/assert.sh",
  },
};

/** Licences of npm packages that have no SPDX expression in their `license` field, by `name@version`. */
const READ_NPM_PACKAGES: Readonly<Record<string, Reading>> = {
  "@logdna/tail-file@2.2.0": { licence: "MIT", source: "LICENSE" },
  "memorystream@0.3.1": { licence: "MIT", source: "LICENSE" },
  "fast-shallow-equal@1.0.0": { licence: "Unlicense", source: "LICENSE" },
  "react-universal-interface@0.6.2": { licence: "Unlicense", source: "LICENSE" },
};

/** npm packages without a licence that are installed as dependencies but not bundled. */
export const NOT_BUNDLED: readonly string[] = ["get-document"];

/** SPDX identifiers of Go modules' licences, by `path@version`. */
export type GoLicences = Readonly<Record<string, readonly string[]>>;

/** An npm lock file, with the fields that this project uses. */
export interface NpmLock {
  packages: Readonly<Record<string, { version?: string; license?: string; link?: boolean }>>;
}

/** Returns whether code under a licence may be used. `OR` in the SPDX expression means a choice. */
export function isAllowed(expression: string): boolean {
  try {
    return holds(parse(expression));
  } catch {
    return false;
  }
}

function holds(licence: parse.Info): boolean {
  if ("conjunction" in licence) {
    const left = holds(licence.left);
    return licence.conjunction === "or" ? left || holds(licence.right) : left && holds(licence.right);
  }
  return licence.exception === undefined && ALLOWED.has(licence.license);
}

/**
 * Returns the licences of a Go module as one SPDX expression. If a licence is missing or unknown, the text says so and
 * is not a valid expression.
 */
export function goLicence(module: string, ids: readonly string[]): string {
  return READ_GO_MODULES[module]?.licence ?? ids.join(" AND ");
}

/** Returns a line for each Go module that must not be linked. */
export function forbiddenModules(found: GoLicences): string[] {
  return Object.entries(found).flatMap(([module, ids]) => {
    const licence = goLicence(module, ids);
    return isAllowed(licence) ? [] : [`Go module ${module}: ${licence}`];
  });
}

/**
 * Returns the licences of the packages in a lock file, by `name@version`; `none` for packages without one. Excludes
 * {@link NOT_BUNDLED}.
 */
export function npmLicences(lock: NpmLock): Map<string, string> {
  const found = new Map<string, string>();
  for (const [folder, { version, license, link }] of Object.entries(lock.packages)) {
    const name = /.*node_modules\/(.+)$/.exec(folder)?.[1];
    if (name === undefined || link === true || NOT_BUNDLED.includes(name)) continue;
    const id = `${name}@${version ?? ""}`;
    found.set(id, READ_NPM_PACKAGES[id]?.licence ?? license ?? "none");
  }
  return found;
}

/** Returns a line for each package of a lock file whose licence is not allowed. */
export function forbiddenPackages(lock: NpmLock): string[] {
  return [...npmLicences(lock)].flatMap(([id, licence]) =>
    isAllowed(licence) ? [] : [`npm package ${id}: ${licence}`],
  );
}
