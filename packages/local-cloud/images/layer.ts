import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import type { Writable } from "node:stream";
import { pack, type Header, type Pack } from "tar-stream";
import type { LayerEntry, Recipe } from "./recipes.ts";

/** Modification time of every file, constant so that equal recipes give equal bytes. */
export const fileTime = new Date(0);

/** Chunk size in bytes. Binaries have up to 300 MB and are streamed. */
const chunkBytes = 1 << 20;

/**
 * Files of every image: /etc/passwd and /etc/group, in which programs look up users, and a directory for temporary
 * files.
 */
const base: LayerEntry[] = [
  {
    path: "/etc/passwd",
    content: {
      text: [
        "root:x:0:0:root:/root:/sbin/nologin",
        "grafana:x:472:0:grafana:/usr/share/grafana:/sbin/nologin",
        "nobody:x:65534:65534:nobody:/home:/sbin/nologin",
        "",
      ].join("\n"),
    },
  },
  { path: "/etc/group", content: { text: "root:x:0:\nnobody:x:65534:\n" } },
  { path: "/etc/nsswitch.conf", content: { text: "hosts: files dns\n" } },
  { path: "/tmp", mode: 0o1777 },
];

/** An entry of the layer's tar and the source of its content. */
interface Item {
  header: Partial<Header> & { name: string };
  file?: string;
  text?: string;
}

/** Writes the layer of an image to `sink` as an uncompressed tar, and ends `sink`. */
export async function writeLayer(recipe: Recipe, sink: Writable): Promise<void> {
  const items = await layerItems([...base, ...recipe.entries]);
  const layer = pack({ highWaterMark: chunkBytes });
  const sent = pipeline(layer, sink);
  const written = (async () => {
    for (const item of items) await addItem(layer, item);
    layer.finalize();
  })();
  await Promise.all([sent, written]);
}

async function addItem(layer: Pack, { header, file, text }: Item): Promise<void> {
  if (file === undefined) {
    await new Promise<void>((resolve, reject) => {
      layer.entry({ ...header, mtime: fileTime }, text ?? "", (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
    return;
  }
  const { size } = await stat(file);
  const entry = layer.entry({ ...header, size, mtime: fileTime });
  await pipeline(createReadStream(file, { highWaterMark: chunkBytes }), entry);
}

/**
 * Returns the entries sorted by path, with their parent directories. A later entry for a path replaces
 * earlier ones.
 */
async function layerItems(entries: LayerEntry[]): Promise<Item[]> {
  const items = new Map<string, Item>();
  for (const entry of entries) {
    for (const item of await entryItems(entry)) items.set(item.header.name, item);
  }
  for (const name of [...items.keys()]) {
    for (let dir = path.dirname(name); dir !== "."; dir = path.dirname(dir)) {
      if (!items.has(dir)) items.set(dir, { header: { name: dir, type: "directory", mode: 0o755 } });
    }
  }
  return [...items.values()].sort((a, b) => (a.header.name < b.header.name ? -1 : 1));
}

async function entryItems(entry: LayerEntry): Promise<Item[]> {
  const { content, uid = 0, gid = uid } = entry;
  const header = { name: entry.path.slice(1), uid, gid };
  if (content === undefined) return [{ header: { ...header, type: "directory", mode: entry.mode ?? 0o755 } }];
  if ("text" in content) {
    return [{ header: { ...header, type: "file", mode: entry.mode ?? 0o644 }, text: content.text }];
  }
  if ("file" in content) {
    return [{ header: { ...header, type: "file", mode: entry.mode ?? 0o755 }, file: content.file }];
  }
  return treeItems(content.tree, header);
}

async function treeItems(tree: string, parent: { name: string; uid: number; gid: number }): Promise<Item[]> {
  const items: Item[] = [];
  for (const entry of await readdir(tree, { withFileTypes: true, recursive: true })) {
    const file = path.join(entry.parentPath, entry.name);
    const info = await stat(file);
    const header = { ...parent, name: path.join(parent.name, path.relative(tree, file)) };
    if (info.isDirectory()) items.push({ header: { ...header, type: "directory", mode: 0o755 } });
    else items.push({ header: { ...header, type: "file", mode: info.mode & 0o111 ? 0o755 : 0o644 }, file });
  }
  return items;
}
