// Language host with support for policy packs. Usage: main.ts HOST [ARGUMENT ...], where HOST is the program
// of the real language host.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { endWithParent } from "../plugin/parent.ts";
import { serveProxy } from "./proxy.ts";

const [hostFile = "", ...args] = process.argv.slice(2);

// Exits when the engine exits, and kills the real language host on exit.
endWithParent();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));

const host = spawn(hostFile, args, { stdio: ["ignore", "pipe", "inherit"] });
process.on("exit", () => host.kill());
host.on("error", (error) => {
  console.error(`${hostFile}: ${error.message}`);
  process.exit(1);
});
host.on("exit", (code) => process.exit(code ?? 1));

// No top-level `await`: start.cjs loads this module with require().
void serve();

async function serve(): Promise<void> {
  const lines = createInterface(host.stdout);
  const [hostPort] = (await once(lines, "line")) as [string];
  lines.on("line", (line) => {
    console.log(line);
  });
  const { port } = await serveProxy(Number(hostPort));
  // The engine reads the port from standard output.
  console.log(String(port));
}
