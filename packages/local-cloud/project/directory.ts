import { fileURLToPath } from "node:url";

/** Root directory of the project, with Pulumi.yaml, Pulumi.local.yaml and node_modules. Ends with a slash. */
export const projectDir = fileURLToPath(new URL("../../..", import.meta.url));
