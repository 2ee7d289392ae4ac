// Runs a TypeScript program: node start.cjs PROGRAM [ARGUMENT]…
// tsx compiles modules when they are required. `--import tsx` would also start a thread for ES module imports, which takes
// longer than the rest of a small program's start.
require("tsx/cjs/api").register();
process.argv.splice(1, 1);
require(process.argv[1] ?? "");
