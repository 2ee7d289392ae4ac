// npm run help: prints the table of docs/commands.md.
import { readFileSync } from "node:fs";
import { readCommandLine } from "../lib/command-line.ts";

readCommandLine({ usage: "npm run help" });
const page = readFileSync(new URL("../docs/commands.md", import.meta.url), "utf8");
const rows = [...page.matchAll(/^\| `(npm [^`]+)`\s*\| (.+?) *\|$/gm)];
// A single write avoids EPIPE if a pager reads only the first lines.
console.log(rows.map(([, command = "", what = ""]) => `${command.padEnd(28)} ${what}`).join("\n"));
