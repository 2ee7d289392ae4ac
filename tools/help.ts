// npm run help: prints the README's table of commands.
import { readFileSync } from "node:fs";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const rows = [...readme.matchAll(/^\| `(npm [^`]+)`\s*\| (.+?) *\|$/gm)];
// A single write avoids EPIPE if a pager reads only the first lines.
console.log(rows.map(([, command = "", what = ""]) => `${command.padEnd(28)} ${what}`).join("\n"));
