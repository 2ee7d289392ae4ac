import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { projectDir } from "../project/directory.ts";
import { installLanguageHost } from "./install.ts";

const dir = mkdtempSync(path.join(tmpdir(), "k8sfv-launcher-"));

beforeAll(async () => {
  // A fake language host, which prints a port number and then its arguments.
  const host = `#!/bin/sh\necho 4711\nfor word; do echo "$word"; done\nexec sleep 60\n`;
  writeFileSync(path.join(dir, "pulumi-language-nodejs-host"), host, { mode: 0o755 });
  await installLanguageHost(dir);
});

afterAll(() => {
  rmSync(dir, { recursive: true });
});

/** Starts the launcher from a fake engine with these arguments, and returns the first `count` lines of its output. */
async function launch(engineArgs: string[], count: number): Promise<string[]> {
  const launcher = path.join(dir, "pulumi-language-nodejs");
  // The launcher reads the arguments of its parent process, which is normally the engine. Here, the parent is a shell
  // with the engine's arguments.
  const engine = spawn("sh", [
    "-c",
    `"${launcher}" 127.0.0.1:4 & echo $! >&2; wait`,
    "pulumi",
    ...engineArgs,
  ]);
  const [pid] = (await once(engine.stderr, "data")) as [Buffer];
  const lines: string[] = [];
  for await (const line of createInterface(engine.stdout)) {
    lines.push(line);
    if (lines.length === count) break;
  }
  process.kill(Number(pid.toString()));
  await once(engine, "exit");
  return lines;
}

test("starts the language host directly without a policy pack", async () => {
  expect(await launch(["preview", "--stack", "x--policy-pack"], 4)).toEqual([
    "4711",
    "-typescript=false",
    `-nodeargs=--import '${path.join(projectDir, "loader.mjs")}'`,
    "127.0.0.1:4",
  ]);
});

test.each([[["--policy-pack", "policy"]], [["--policy-pack=policy"]]])(
  "starts the proxy for %j",
  async (args) => {
    const [port] = await launch(["preview", ...args], 1);
    expect(port).toMatch(/^[1-9][0-9]*$/);
    expect(port).not.toBe("4711");
  },
);
