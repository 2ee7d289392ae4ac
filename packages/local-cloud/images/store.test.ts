import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { seedContainerd, shareFile } from "./store.ts";

// These tests copy an image store for a node but don't run containerd. The environment tests run nodes with such
// copies.

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "k8sfv-store-test-"));
  const blobs = path.join(dir, "store", "content", "blobs");
  await mkdir(blobs, { recursive: true });
  await mkdir(path.join(dir, "store", "metadata"));
  await writeFile(path.join(blobs, "layer"), "a layer");
  await writeFile(path.join(dir, "store", "metadata", "meta.db"), "the images");
});

afterEach(async () => {
  await rm(dir, { recursive: true });
});

test("hard-links layers and copies the database", async () => {
  const root = path.join(dir, "machine", "var", "lib", "containerd");
  await seedContainerd({ dir: path.join(dir, "store") }, root);
  const inode = async (...parts: string[]): Promise<number> => (await stat(path.join(...parts))).ino;
  const layer = path.join("content", "blobs", "layer");
  expect(await inode(root, layer)).toBe(await inode(dir, "store", layer));
  await writeFile(path.join(root, "metadata", "meta.db"), "changed by the node");
  expect(await readFile(path.join(dir, "store", "metadata", "meta.db"), "utf8")).toBe("the images");
});

test("keeps a seeded root, and replaces one whose seeding was interrupted", async () => {
  const root = path.join(dir, "containerd");
  await mkdir(root);
  await writeFile(path.join(root, "half"), "");
  await seedContainerd({ dir: path.join(dir, "store") }, root);
  await expect(stat(path.join(root, "half"))).rejects.toThrow("ENOENT");
  await writeFile(path.join(root, "metadata", "meta.db"), "changed by the node");
  await seedContainerd({ dir: path.join(dir, "store") }, root);
  expect(await readFile(path.join(root, "metadata", "meta.db"), "utf8")).toBe("changed by the node");
});

test("replaces the images of another store", async () => {
  const root = path.join(dir, "containerd");
  await seedContainerd({ dir: path.join(dir, "store") }, root);
  const newer = path.join(dir, "newer");
  await mkdir(path.join(newer, "metadata"), { recursive: true });
  await writeFile(path.join(newer, "metadata", "meta.db"), "newer images");
  await seedContainerd({ dir: newer }, root);
  expect(await readFile(path.join(root, "metadata", "meta.db"), "utf8")).toBe("newer images");
});

test("replaces copies of a shared file by links, and leaves the file and others", async () => {
  const shared = path.join(dir, "node");
  const store = path.join(dir, "store", "snapshots");
  const scratch = path.join(dir, "scratch");
  for (const name of ["1/bin", "2/bin"]) await mkdir(path.join(store, name), { recursive: true });
  await mkdir(scratch);
  await writeFile(shared, "a program", { mode: 0o755 });
  const { ino, mtimeMs } = await stat(shared);
  const copies = [path.join(store, "1/bin/node"), path.join(store, "2/bin/node")];
  for (const copy of copies) await writeFile(copy, "a program", { mode: 0o755 });
  const other = path.join(store, "1/bin/cp");
  await writeFile(other, "a command", { mode: 0o755 });
  await shareFile(shared, path.join(dir, "store"), scratch);
  for (const copy of copies) expect((await stat(copy)).ino).toBe(ino);
  expect(await readFile(other, "utf8")).toBe("a command");
  expect(await stat(shared)).toMatchObject({ ino, mtimeMs, nlink: 3 });
});
