import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readJson, writeFileAtomic } from "./files.ts";

function file(): string {
  const dir = mkdtempSync(path.join(tmpdir(), "k8sfv-files-"));
  onTestFinished(() => {
    rmSync(dir, { recursive: true });
  });
  return path.join(dir, "state.json");
}

test("replaces a file atomically", async () => {
  const state = file();
  await writeFileAtomic(state, '"before"', 0o600);
  // A hard link shows whether the original inode was modified.
  linkSync(state, `${state}.open`);
  await writeFileAtomic(state, '"after"', 0o600);
  expect(readFileSync(`${state}.open`, "utf8")).toBe('"before"');
  expect(await readJson(state)).toBe("after");
});

test("returns undefined for a missing file only", async () => {
  const state = file();
  expect(await readJson(state)).toBeUndefined();
  writeFileSync(state, '{"cidr":');
  await expect(readJson(state)).rejects.toThrow(`${state} is not valid JSON`);
  rmSync(state);
  mkdirSync(state);
  await expect(readJson(state)).rejects.toThrow("EISDIR");
});
