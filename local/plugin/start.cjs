// Starts a program in TypeScript: node start.cjs PROGRAM [ARGUMENT]…
// tsx translates as modules are required; `--import tsx` would besides start a thread for imports, which costs
// more than all the rest of a small program's start.
require("tsx/cjs/api").register();
process.argv.splice(1, 1);
require(process.argv[1] ?? "");
