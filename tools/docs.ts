// npm run docs: writes the pages that are made of the code.
import { writeFile } from "node:fs/promises";
import { CONFIGURATION_PAGE, configurationPage } from "./configuration-page.ts";

await writeFile(CONFIGURATION_PAGE, await configurationPage());
