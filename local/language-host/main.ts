// The language host with policy packs. Arguments: the host behind, and what it is started with.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { endWithParent } from "../plugin/parent.ts";
import { serveProxy } from "./proxy.ts";

const [hostFile = "", ...args] = process.argv.slice(2);

// With the engine this process goes, and with it whatever it started.
endWithParent();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));

const host = spawn(hostFile, args, { stdio: ["ignore", "pipe", "inherit"] });
process.on("exit", () => host.kill());
host.on("error", (error) => {
  console.error(`${hostFile}: ${error.message}`);
  process.exit(1);
});
host.on("exit", (code) => process.exit(code ?? 1));

// No `await` out here: what start.cjs starts is translated for require(), which can't wait.
void serve();

async function serve(): Promise<void> {
  const lines = createInterface(host.stdout);
  const [hostPort] = (await once(lines, "line")) as [string];
  lines.on("line", (line) => {
    console.log(line);
  });
  const { port } = await serveProxy(Number(hostPort));
  // The engine reads the port from here.
  console.log(String(port));
}
