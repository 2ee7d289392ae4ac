import { fileURLToPath } from "node:url";
import { stackNames } from "../config/stacks.ts";

/** The stack of local clouds. */
export const LOCAL_STACK = "local";

/** The project's folder, with a file Pulumi.NAME.yaml for each stack. */
export const PROJECT_DIR = fileURLToPath(new URL("..", import.meta.url));

/** Names of the stacks in Google Cloud, in alphabetical order. */
export function cloudStacks(): string[] {
  return stackNames(PROJECT_DIR).filter((name) => name !== LOCAL_STACK);
}
