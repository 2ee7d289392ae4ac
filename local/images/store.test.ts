import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { seedContainerd } from "./store.ts";

// That a containerd takes what it is given is proved by the whole-environment tests, where nodes run from it.

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

test("a node shares the layers and has a database of its own", async () => {
  const root = path.join(dir, "machine", "var", "lib", "containerd");
  await seedContainerd({ dir: path.join(dir, "store") }, root);
  const inode = async (...parts: string[]): Promise<number> => (await stat(path.join(...parts))).ino;
  const layer = path.join("content", "blobs", "layer");
  expect(await inode(root, layer)).toBe(await inode(dir, "store", layer));
  await writeFile(path.join(root, "metadata", "meta.db"), "changed by the node");
  expect(await readFile(path.join(dir, "store", "metadata", "meta.db"), "utf8")).toBe("the images");
});

test("what the node has is left alone, unless an earlier seeding was cut short", async () => {
  const root = path.join(dir, "containerd");
  await mkdir(root);
  await writeFile(path.join(root, "half"), "");
  await seedContainerd({ dir: path.join(dir, "store") }, root);
  await expect(stat(path.join(root, "half"))).rejects.toThrow("ENOENT");
  await writeFile(path.join(root, "metadata", "meta.db"), "changed by the node");
  await seedContainerd({ dir: path.join(dir, "store") }, root);
  expect(await readFile(path.join(root, "metadata", "meta.db"), "utf8")).toBe("changed by the node");
});

test("a node that has the images of another store is given this one's", async () => {
  const root = path.join(dir, "containerd");
  await seedContainerd({ dir: path.join(dir, "store") }, root);
  const newer = path.join(dir, "newer");
  await mkdir(path.join(newer, "metadata"), { recursive: true });
  await writeFile(path.join(newer, "metadata", "meta.db"), "newer images");
  await seedContainerd({ dir: newer }, root);
  expect(await readFile(path.join(root, "metadata", "meta.db"), "utf8")).toBe("newer images");
});
