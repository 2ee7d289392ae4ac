// npm run docs [-- STACK]: writes the pages that are made of the code; their examples are the stack's, by default the
// first one's in Google Cloud.
import { writeFile } from "node:fs/promises";
import { LICENCES_PAGE, licencesPage } from "../local/licences/page.ts";
import { CONFIGURATION_PAGE, configurationPage } from "./configuration-page.ts";

await writeFile(CONFIGURATION_PAGE, await configurationPage(process.argv[2]));
await writeFile(LICENCES_PAGE, licencesPage());
