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
  const dir = mkdtempSync(path.join(tmpdir(), "k8sfv-terminal-"));
  onTestFinished(() => {
    rmSync(dir, { recursive: true });
  });
  const script = path.join(dir, "command.mts");
  const from = (file: string) => JSON.stringify(path.resolve(file));
  writeFileSync(
    script,
    `import { execa } from ${from("node_modules/execa/index.js")};
    import { runCommand, untilItEnds } from ${from("local/commands/terminal.ts")};
    const run = () => execa(process.execPath, ["-e", ${JSON.stringify(CHILD)}], { stdio: "inherit" });
    await runCommand(() => untilItEnds(async () => { await run(); }));`,
  );
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
  expect(said).toContain("child: saved");
  expect(said).toContain("Error: Stopped. npm start goes on from here; npm stop removes everything.");
  expect(code).toBe(1);
}, 60_000);
