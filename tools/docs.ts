// npm run docs [-- STACK]: generates documentation from code. Examples are from the stack's file, by default
// that of the first stack in Google Cloud.
import { writeFile } from "node:fs/promises";
import { CONFIGURATION_PAGE, configurationPage } from "./configuration-page.ts";
import { PROJECT_FILE, projectFile } from "./project-file.ts";

await writeFile(CONFIGURATION_PAGE, await configurationPage(process.argv[2]));
await writeFile(PROJECT_FILE, await projectFile());
