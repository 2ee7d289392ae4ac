import { copyFile, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { readIfThere } from "../files.ts";
import { writeArchive } from "./archive.ts";
import { contentKey, inCache, type ImageOptions, type ImageSource } from "./cache.ts";
import { clusterRecipes, recipes } from "./recipes.ts";

/** All images, imported and unpacked: a folder in the form of a containerd's root, never used as one itself. */
export interface ImageStore {
  dir: string;
}

/** Namespace in containerd that kubelets use. */
const kubernetes = "k8s.io";

/** containerd answers after 0.3 s; this is for slower machines. */
const startTimeoutMs = 30_000;

/** Changed whenever the way a store is made changes, so that older ones of the cache are not taken. */
const storeFormat = 1;

/**
 * Makes all images and has a containerd of its own, which knows no cluster, import and unpack them. That is
 * done once for a set of images; a node then gets them with `seedContainerd` in a moment.
 *
 * @throws Error with containerd's own words when it does not start or refuses an image
 */
export async function ensureImageStore(source: ImageSource, options: ImageOptions = {}): Promise<ImageStore> {
  const { official } = options;
  const own = official === undefined ? recipes(source) : clusterRecipes(source);
  const all = [...own, ...(options.more ?? [])];
  const { stdout: version } = await execa("containerd", ["--version"]);
  const name = `store-${contentKey([...all, { storeFormat, version, official }])}`;
  const dir = await inCache(source.cacheDir, name, async (out, scratch) => {
    const archive = path.join(scratch, "images.tar");
    options.report?.(`making ${all.length} container images`);
    await writeArchive(all, archive);
    options.report?.(`unpacking ${all.length} container images`);
    await importInto(out, [archive, ...(official ?? [])]);
  });
  return { dir };
}

/**
 * Gives a containerd that has not started yet all images of the store. Files are hard links where `root` is
 * on the store's file system, so that it takes no room and all nodes share one copy in memory; what a
 * containerd writes to is copied. What `root` has of another store is thrown away; does nothing when it is of this one.
 *
 * @param root the containerd's root folder, e.g. `/var/lib/containerd` of a machine
 */
export async function seedContainerd(store: ImageStore, root: string): Promise<void> {
  if (await isSeeded(store, root)) return;
  await mkdir(path.dirname(root), { recursive: true });
  await rm(root, { recursive: true, force: true });
  const sameDisk = (await stat(store.dir)).dev === (await stat(path.dirname(root))).dev;
  await execa("cp", ["--archive", ...(sameDisk ? ["--link"] : []), store.dir, root]);
  for (const plugin of await readdir(root)) {
    for (const name of await readdir(path.join(root, plugin))) {
      if (name.endsWith(".db")) await unshare(path.join(root, plugin, name));
    }
  }
  await writeFile(marker(root), path.basename(store.dir));
}

/** Whether the containerd of that root has the images of this store. */
export async function isSeeded(store: ImageStore, root: string): Promise<boolean> {
  return (await readIfThere(marker(root))) === path.basename(store.dir);
}

/** A file that says of which store a containerd's root is; a store's folder has its images' key in its name. */
function marker(root: string): string {
  return path.join(root, "seeded");
}

/** Makes a hard link into a file of its own. */
async function unshare(file: string): Promise<void> {
  await copyFile(file, `${file}.copy`);
  await rename(`${file}.copy`, file);
}

/** Imports archives into a containerd whose root is `root`, and ends that containerd. */
async function importInto(root: string, archives: string[]): Promise<void> {
  // A socket's path has at most 107 characters, and the cache may lie deep.
  const state = await mkdtemp(path.join(tmpdir(), "k8sfv-images-"));
  const socket = path.join(state, "containerd.sock");
  const config = path.join(state, "config.toml");
  // Only to import: no part of it may meet a cluster's or Docker's containerd on the same machine.
  await writeFile(
    config,
    [
      `version = 2`,
      `root = ${JSON.stringify(root)}`,
      `state = ${JSON.stringify(path.join(state, "state"))}`,
      `disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]`,
      `[grpc]`,
      `  address = ${JSON.stringify(socket)}`,
      `[ttrpc]`,
      `  address = ${JSON.stringify(`${socket}.ttrpc`)}`,
      ``,
    ].join("\n"),
  );
  // It must not outlive this process, however that ends.
  const containerd = execa(
    "setpriv",
    ["--pdeathsig=KILL", "containerd", "--config", config, "--log-level", "error"],
    { reject: false },
  );
  const ctr = async (...args: string[]): Promise<unknown> =>
    execa("ctr", ["--address", socket, "--namespace", kubernetes, ...args]);
  try {
    const deadline = Date.now() + startTimeoutMs;
    while (!(await ctr("version").then(...yesNo))) {
      if (containerd.exitCode !== null) throw new Error(`containerd ended: ${(await containerd).stderr}`);
      if (Date.now() > deadline)
        throw new Error(`containerd does not answer after ${startTimeoutMs / 1000} s`);
      await sleep(50);
    }
    for (const archive of archives) await ctr("images", "import", archive);
  } finally {
    containerd.kill("SIGTERM");
    await containerd;
    await rm(state, { recursive: true, force: true });
  }
  await keepOnlyImages(root);
}

async function keepOnlyImages(root: string): Promise<void> {
  const kept = /^io\.containerd\.(content\.v1\.content|metadata\.v1\.bolt|snapshotter\.v1\.overlayfs)$/;
  for (const plugin of await readdir(root)) {
    if (!kept.test(plugin)) await rm(path.join(root, plugin), { recursive: true, force: true });
  }
}

const yesNo = [(): boolean => true, (): boolean => false] as const;
