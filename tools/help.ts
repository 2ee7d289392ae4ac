// npm run help: the project's commands, a line each, as the README has them.
import { readFileSync } from "node:fs";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
for (const [, command = "", what = ""] of readme.matchAll(/^\| `(npm [^`]+)`\s*\| (.+?) *\|$/gm)) {
  console.log(`${command.padEnd(28)} ${what}`);
}
