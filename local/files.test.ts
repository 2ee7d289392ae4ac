import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readJson, writeWhole } from "./files.ts";

function file(): string {
  const dir = mkdtempSync(path.join(tmpdir(), "k8sfv-files-"));
  onTestFinished(() => {
    rmSync(dir, { recursive: true });
  });
  return path.join(dir, "state.json");
}

test("a file is never written in place", async () => {
  const state = file();
  await writeWhole(state, '"before"', 0o600);
  // A second name of the same file: as it was for whoever has it open.
  linkSync(state, `${state}.open`);
  await writeWhole(state, '"after"', 0o600);
  expect(readFileSync(`${state}.open`, "utf8")).toBe('"before"');
  expect(await readJson(state)).toBe("after");
});

test("only a file that is not there counts as none", async () => {
  const state = file();
  expect(await readJson(state)).toBeUndefined();
  writeFileSync(state, '{"cidr":');
  await expect(readJson(state)).rejects.toThrow(`${state} is broken`);
  rmSync(state);
  mkdirSync(state);
  await expect(readJson(state)).rejects.toThrow("EISDIR");
});
