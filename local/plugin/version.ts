import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Top of the checkout. */
export const projectDir = fileURLToPath(new URL("../..", import.meta.url));

/** For `node --import`: lets Node run TypeScript. Found from here, and so from a bundle too. */
export const typeScriptLoader = `${projectDir}node_modules/tsx/dist/loader.mjs`;

/**
 * Version of the provider that an npm package asks for: its own. Read from what is installed, so that
 * it can't differ from what the program asks for.
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
