import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { seedContainerd } from "./store.ts";

// These tests use no containerd; the environment tests run nodes from a seeded store.

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
