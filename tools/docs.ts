// Part of npm run docs [-- STACK]: generates docs/configuration.md and the block `config` of Pulumi.yaml from
// config/schema.ts. The page's examples are the values in Pulumi.STACK.yaml. By default, STACK is the first stack in
// Google Cloud.
import { writeFile } from "node:fs/promises";
import { readCommandLine } from "../lib/command-line.ts";
import { CONFIGURATION_PAGE, configurationPage } from "./configuration-page.ts";
import { PROJECT_FILE, projectFile } from "./project-file.ts";

const { positionals } = readCommandLine({ usage: "npm run docs [-- STACK]", positionals: [0, 1] });
await writeFile(CONFIGURATION_PAGE, await configurationPage(positionals[0]));
await writeFile(PROJECT_FILE, await projectFile());
