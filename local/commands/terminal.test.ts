import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";

/** A child that takes a while to end after Ctrl-C, as the engine does. */
const CHILD = `
  process.on("SIGINT", () => setTimeout(() => { console.log("child: saved"); process.exit(255); }, 300));
  setInterval(() => undefined, 1000);
  console.log("child: up");`;

test("Ctrl-C lets the engine end by itself, and says how to go on", async () => {
  const { said, code } = await stopped(`
    import { execa } from ${from("node_modules/execa/index.js")};
    const run = () => execa(process.execPath, ["-e", ${JSON.stringify(CHILD)}], { stdio: "inherit" });
    await runCommand(() => untilItEnds(async () => { await run(); }));`);
  expect(said).toContain("child: saved");
  expect(said).toContain("Error: Stopped. npm start goes on from here; npm stop removes everything.");
  expect(code).toBe(1);
}, 60_000);

test("Ctrl-C in the engine that a person runs is the engine's alone", async () => {
  const { said, code } = await stopped(`
    process.exitCode = await runInTerminal(process.execPath, ["-e", ${JSON.stringify(CHILD)}], {});`);
  expect(said).toBe("child: up\nchild: saved\n");
  expect(code).toBe(255);
}, 60_000);

test("a program that Ctrl-C ends has the status that a shell gives it", async () => {
  const program = "console.log('child: up'); setInterval(() => undefined, 1000)";
  const { code } = await stopped(`
    process.exitCode = await runInTerminal(process.execPath, ["-e", ${JSON.stringify(program)}], {});`);
  expect(code).toBe(130);
}, 60_000);

/** Runs a program that uses terminal.ts, and presses Ctrl-C once its child is up. */
async function stopped(program: string): Promise<{ said: string; code: unknown }> {
  const dir = mkdtempSync(path.join(tmpdir(), "k8sfv-terminal-"));
  onTestFinished(() => {
    rmSync(dir, { recursive: true });
  });
  const script = path.join(dir, "command.mts");
  const names = "runCommand, runInTerminal, untilItEnds";
  writeFileSync(script, `import { ${names} } from ${from("local/commands/terminal.ts")};\n${program}`);
  // A group of its own, as a terminal gives it: Ctrl-C goes to all of it.
  const command = spawn(
    process.execPath,
    ["--import", path.resolve("node_modules/tsx/dist/loader.mjs"), script],
    {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let said = "";
  for (const stream of [command.stdout, command.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (chunk.includes("child: up")) process.kill(-(command.pid ?? 0), "SIGINT");
    });
  }
  const code = await new Promise((resolve) => command.once("close", resolve));
  return { said, code };
}

/** The project's file as a module's name in a program. */
function from(file: string): string {
  return JSON.stringify(path.resolve(file));
}
