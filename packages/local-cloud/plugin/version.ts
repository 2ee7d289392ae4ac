import { readFileSync } from "node:fs";
import { projectDir } from "../project/directory.ts";

/** Argument of `node --import` for running TypeScript. An absolute path, because bundles run in other directories. */
export const typeScriptLoader = `${projectDir}node_modules/tsx/dist/loader.mjs`;

/**
 * Returns the version of the provider that an npm package requires: `pulumi.version` in the package.json of the
 * installed package, or the package's own version.
 *
 * @throws Error when the package is not installed
 */
export function pluginVersion(npmPackage: string): string {
  const file = `${projectDir}node_modules/${npmPackage}/package.json`;
  let described: { version: string; pulumi?: { version?: string } };
  try {
    described = JSON.parse(readFileSync(file, "utf8")) as typeof described;
  } catch (error) {
    throw new Error(`${npmPackage} is not installed: run "npm ci" in ${projectDir}`, { cause: error });
  }
  return described.pulumi?.version ?? described.version;
}
