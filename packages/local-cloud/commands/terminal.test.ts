import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { typeScriptLoader } from "../plugin/version.ts";
import { projectDir } from "../project/directory.ts";

/** A child process that takes a while to exit after Ctrl-C, like the engine. */
const CHILD = `
  process.on("SIGINT", () => setTimeout(() => { console.log("child: saved"); process.exit(255); }, 300));
  setInterval(() => undefined, 1000);
  console.log("child: up");`;

test("lets the engine exit by itself after Ctrl-C and says how to continue", async () => {
  const { said, code } = await stopped(`
    import { execa } from ${from("node_modules/execa/index.js")};
    const run = () => execa(process.execPath, ["-e", ${JSON.stringify(CHILD)}], { stdio: "inherit" });
    await runCommand(() => withGracefulStop(async () => { await run(); }));`);
  expect(said).toContain("child: saved");
  expect(said).toContain('Error: Stopped. "npm start" continues from here; "npm stop" removes everything.');
  expect(code).toBe(1);
}, 60_000);

test("leaves Ctrl-C to the engine in npm run pulumi", async () => {
  const { said, code } = await stopped(`
    process.exitCode = await runInTerminal(process.execPath, ["-e", ${JSON.stringify(CHILD)}], {});`);
  expect(said).toBe("child: up\nchild: saved\n");
  expect(code).toBe(255);
}, 60_000);

test("returns the shell's exit status for a program killed by Ctrl-C", async () => {
  const program = "console.log('child: up'); setInterval(() => undefined, 1000)";
  const { code } = await stopped(`
    process.exitCode = await runInTerminal(process.execPath, ["-e", ${JSON.stringify(program)}], {});`);
  expect(code).toBe(130);
}, 60_000);

/** Runs a program that uses terminal.ts, and sends Ctrl-C when its child has started. */
async function stopped(program: string): Promise<{ said: string; code: unknown }> {
  const dir = mkdtempSync(path.join(tmpdir(), "k8sfv-terminal-"));
  onTestFinished(() => {
    rmSync(dir, { recursive: true });
  });
  const script = path.join(dir, "command.mts");
  const names = "runCommand, runInTerminal, withGracefulStop";
  writeFileSync(
    script,
    `import { ${names} } from ${from("packages/local-cloud/commands/terminal.ts")};\n${program}`,
  );
  // The command gets its own process group, as in a terminal, where Ctrl-C signals the whole group.
  const command = spawn(process.execPath, ["--import", typeScriptLoader, script], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
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

/** Returns the absolute path of a file of this project as a string literal, for an import. */
function from(file: string): string {
  return JSON.stringify(path.join(projectDir, file));
}
