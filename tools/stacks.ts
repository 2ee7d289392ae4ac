import { fileURLToPath } from "node:url";
import { stackNames } from "../config/stacks.ts";

/** Name of the local clouds' stack. The environment variable K8SFV_CLOUD selects the cloud. */
export const LOCAL_STACK = "local";

/** The project's directory, which contains a file Pulumi.NAME.yaml per stack. */
export const PROJECT_DIR = fileURLToPath(new URL("..", import.meta.url));

/** Returns the names of the stacks in Google Cloud in alphabetical order. */
export function cloudStacks(): string[] {
  return stackNames(PROJECT_DIR).filter((name) => name !== LOCAL_STACK);
}
