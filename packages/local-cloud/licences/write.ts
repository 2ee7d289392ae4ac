// Part of npm run docs: generates docs/licences.md.
import { writeFile } from "node:fs/promises";
import { LICENCES_PAGE, licencesPage } from "./page.ts";

await writeFile(LICENCES_PAGE, licencesPage());
