// npm run help: the project's commands, a line each, as the README has them.
import { readFileSync } from "node:fs";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const rows = [...readme.matchAll(/^\| `(npm [^`]+)`\s*\| (.+?) *\|$/gm)];
// All at once: who reads only the first lines doesn't end it with an error.
console.log(rows.map(([, command = "", what = ""]) => `${command.padEnd(28)} ${what}`).join("\n"));
