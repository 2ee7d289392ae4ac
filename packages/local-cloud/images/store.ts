import {
  copyFile,
  link,
  mkdir,
  mkdtemp,
  readdir,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { readFileIfExists } from "../support/files.ts";
import { writeArchive } from "./archive.ts";
import { contentKey, ensureCached, type ImageOptions, type ImageSource } from "./cache.ts";
import { clusterRecipes, recipes } from "./recipes.ts";

/**
 * All images, imported and unpacked, in the layout of containerd's root directory. A complete store doesn't change any
 * more: containerd uses only copies of it ({@link seedContainerd}).
 */
export interface ImageStore {
  dir: string;
}

/** containerd's namespace for Kubernetes. */
const kubernetes = "k8s.io";

/** Timeout in milliseconds. containerd answered after 0.3 s on two cores; slower computers need longer. */
const startTimeoutMs = 30_000;

/** Version of the store format. Increment it when stores are made differently, to invalidate cached stores. */
const storeFormat = 2;

/**
 * Makes all images and unpacks them with a temporary containerd. This happens once per set of images; {@link
 * seedContainerd} then copies the result to each node quickly.
 *
 * @throws Error with containerd's error message when it does not start or rejects an image
 */
export async function ensureImageStore(source: ImageSource, options: ImageOptions = {}): Promise<ImageStore> {
  const { official } = options;
  const own = official === undefined ? recipes(source) : clusterRecipes(source);
  const all = [...own, ...(options.more ?? [])];
  const { stdout: version } = await execa("containerd", ["--version"]);
  const name = `store-${contentKey([...all, { storeFormat, version, official }])}`;
  const dir = await ensureCached(source.cacheDir, name, async (out, scratch) => {
    const archive = path.join(scratch, "images.tar");
    options.report?.(`building ${all.length} container images`);
    await writeArchive(all, archive);
    options.report?.(`unpacking ${all.length} container images`);
    await importInto(out, [archive, ...(official ?? [])]);
    await shareFile(await realpath(source.node ?? process.execPath), out, scratch);
  });
  return { dir };
}

/**
 * Copies the store's images into the root directory of a containerd that is not running. Files are hard links
 * if `root` is on the store's file system, so that nodes share disk space and page cache; databases are
 * copied. Does nothing if `root` already has the images of this store. If it has the images of another store,
 * removes them first.
 *
 * @param root containerd's root directory, e.g. `/var/lib/containerd` of a host
 */
export async function seedContainerd(store: ImageStore, root: string): Promise<void> {
  if (await isSeeded(store, root)) return;
  await mkdir(path.dirname(root), { recursive: true });
  await rm(root, { recursive: true, force: true });
  const sameDisk = (await stat(store.dir)).dev === (await stat(path.dirname(root))).dev;
  await execa("cp", ["--archive", ...(sameDisk ? ["--link"] : []), store.dir, root]);
  for (const plugin of await readdir(root)) {
    for (const name of await readdir(path.join(root, plugin))) {
      if (name.endsWith(".db")) await copyHardLink(path.join(root, plugin, name));
    }
  }
  await writeFile(marker(root), path.basename(store.dir));
}

/**
 * Replaces all copies of a program's file below `dir` by hard links to one copy, or to `file` if `file` is on the same
 * file system. All processes that run the program, e.g. Node in the containers and on this computer, then share the
 * memory of its code.
 *
 * @param scratch an existing directory on the file system of `dir`, for a temporary hard link
 */
export async function shareFile(file: string, dir: string, scratch: string): Promise<void> {
  const { size } = await stat(file);
  // The program `hardlink` may replace any file in its arguments with a link to an equal file. To protect `file`, the
  // arguments contain a temporary hard link to `file` instead of its own path.
  const name = path.join(scratch, "shared");
  const isLinked = await link(file, name).then(...yesNo);
  // With --maximize, hardlink keeps the file with the most hard links and replaces all equal files. The file kept is
  // `file` if the temporary link `name` was created, because `file` then has at least two hard links and each copy in
  // `dir` has one.
  const limits = [`--minimum-size=${size}`, `--maximum-size=${size}`];
  await execa("hardlink", [
    "--quiet",
    "--ignore-time",
    "--maximize",
    ...limits,
    ...(isLinked ? [name] : []),
    dir,
  ]);
  await rm(name, { force: true });
}

/** Reports whether containerd's root directory was filled from this image store. */
export async function isSeeded(store: ImageStore, root: string): Promise<boolean> {
  return (await readFileIfExists(marker(root))) === path.basename(store.dir);
}

/** Returns the path of the file that contains the name of the store from which the root directory was seeded. */
function marker(root: string): string {
  return path.join(root, "seeded");
}

/** Replaces a hard link by a copy of the file. */
async function copyHardLink(file: string): Promise<void> {
  await copyFile(file, `${file}.copy`);
  await rename(`${file}.copy`, file);
}

/** Imports archives with a temporary containerd into the directory `root`. */
async function importInto(root: string, archives: string[]): Promise<void> {
  // A socket path has at most 107 bytes, and the cache's path may be long.
  const state = await mkdtemp(path.join(tmpdir(), "k8sfv-images-"));
  const socket = path.join(state, "containerd.sock");
  const config = path.join(state, "config.toml");
  // Disables the plugins that could interfere with another containerd on this computer.
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
  // containerd must exit with this process, even if this process is killed.
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
      if (containerd.exitCode !== null)
        throw new Error(`containerd exited during its start: ${(await containerd).stderr}`);
      if (Date.now() > deadline)
        throw new Error(`containerd does not respond after ${startTimeoutMs / 1000} s`);
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
