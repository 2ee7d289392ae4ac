import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { extract, type Header } from "tar-stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeArchive } from "./archive.ts";
import { contentKey, ensureCached } from "./cache.ts";
import { pauseImage, type ImageSource } from "./index.ts";
import { builtNames, imagesToOverride } from "./names.ts";
import { grafanaRecipe, recipes, type Recipe } from "./recipes.ts";

const images = builtNames();

interface Manifest {
  Config: string;
  RepoTags: string[];
  Layers: string[];
}

interface Config {
  config: { Entrypoint: string[]; User?: string; Env: string[]; WorkingDir: string };
  rootfs: { diff_ids: string[] };
}

let dir: string;
let source: ImageSource;

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "k8sfv-images-test-"));
  const bin = path.join(dir, "bin");
  await mkdir(bin);
  const names = ["pause", "coredns", "operator", "prometheus-config-reloader", "prometheus", "promtool"];
  for (const name of [...names, "alertmanager", "amtool", "pushgateway", "node"]) {
    await writeFile(path.join(bin, name), `the binary ${name}`.repeat(1000), { mode: 0o755 });
  }
  const node = path.join(bin, "node");
  source = { path: (name) => path.join(bin, name), node, cacheDir: path.join(dir, "cache") };
});

afterEach(async () => {
  await rm(dir, { recursive: true });
});

/** Returns the entries of a tar by name. */
async function untar(tar: Readable): Promise<Map<string, { header: Header; bytes: Buffer }>> {
  const found = new Map<string, { header: Header; bytes: Buffer }>();
  const entries = extract();
  tar.pipe(entries);
  for await (const entry of entries) {
    found.set(entry.header.name.replace(/\/$/, ""), { header: entry.header, bytes: await buffer(entry) });
  }
  return found;
}

/** Reads an image from a tar as a container engine does. */
async function readImage(tar: string): Promise<{
  manifest: Manifest;
  config: Config;
  layer: Awaited<ReturnType<typeof untar>>;
}> {
  const archive = await untar(createReadStream(tar));
  const bytes = (name: string): Buffer => archive.get(name)?.bytes ?? Buffer.alloc(0);
  const [manifest] = JSON.parse(bytes("manifest.json").toString()) as [Manifest];
  const config = JSON.parse(bytes(manifest.Config).toString()) as Config;
  const layer = bytes(manifest.Layers[0] ?? "");
  const digest = createHash("sha256").update(layer).digest("hex");
  expect(config.rootfs.diff_ids).toEqual([`sha256:${digest}`]);
  return { manifest, config, layer: await untar(Readable.from([layer])) };
}

function recipeOf(name: string, of = source): Recipe {
  const found = recipes(of).find((recipe) => recipe.name === name);
  if (found === undefined) throw new Error(`no image ${name}`);
  return found;
}

async function imageNamed(name: string): Promise<Awaited<ReturnType<typeof readImage>>> {
  const tar = path.join(dir, "image.tar");
  await writeArchive([recipeOf(name)], tar);
  return readImage(tar);
}

/** Returns the path of a recipe's image in the cache. */
async function cached(recipe: Recipe): Promise<string> {
  const folder = await ensureCached(source.cacheDir, contentKey([recipe]), (out) =>
    writeArchive([recipe], path.join(out, "image.tar")),
  );
  return path.join(folder, "image.tar");
}

test("has a recipe for every image of versions.ts", () => {
  const names = recipes(source).map(({ name }) => name);
  const { operator, configReloader, prometheus, alertmanager, pushGateway } = images;
  const built = [operator, configReloader, prometheus, alertmanager, pushGateway];
  expect(names).toEqual(expect.arrayContaining(built));
  expect(new Set(names).size).toBe(names.length);
});

test("writes an image's name, entry point, user and binary", async () => {
  const { manifest, config, layer } = await imageNamed(images.pushGateway);
  expect(manifest.RepoTags).toEqual([images.pushGateway]);
  expect(config.config).toMatchObject({
    Entrypoint: ["/bin/pushgateway"],
    User: "65534",
    WorkingDir: "/pushgateway",
  });
  expect(layer.get("bin/pushgateway")?.header).toMatchObject({ mode: 0o755, uid: 0 });
  expect(layer.get("bin/pushgateway")?.bytes.toString()).toContain("the binary pushgateway");
  expect(layer.get("pushgateway")?.header).toMatchObject({ uid: 65534 });
  expect(layer.get("etc/passwd")?.bytes.toString()).toContain("nobody:x:65534:");
  expect(layer.get("tmp")?.header).toMatchObject({ type: "directory", mode: 0o1777 });
});

/** Returns the image of a Grafana stand-in with a file name that is too long for a plain tar header. */
async function grafana(): Promise<Awaited<ReturnType<typeof readImage>>> {
  const files = { bin: path.join(dir, "grafana"), pages: path.join(dir, "pages") };
  await mkdir(files.bin);
  await mkdir(path.join(files.pages, "assets"), { recursive: true });
  await writeFile(path.join(files.bin, "grafana"), "#!/usr/local/bin/node\n", { mode: 0o755 });
  await writeFile(path.join(files.pages, "assets", `${"long".repeat(40)}.js`), "x");
  const tar = path.join(dir, "grafana.tar");
  await writeArchive([grafanaRecipe({ ...files, node: path.join(dir, "bin", "node") })], tar);
  return readImage(tar);
}

test("puts the Grafana stand-in on the PATH, with its pages and a data directory that its user can write", async () => {
  const { config, layer } = await grafana();
  expect(config.config.Entrypoint.slice(0, 2)).toEqual(["grafana", "server"]);
  expect(config.config.Env).toContainEqual(expect.stringMatching(/^PATH=\/usr\/share\/grafana\/bin:/));
  expect(layer.get("usr/share/grafana/bin/grafana")?.header).toMatchObject({ mode: 0o755, uid: 0 });
  expect(layer.has(`usr/share/grafana/public/build/assets/${"long".repeat(40)}.js`)).toBe(true);
  expect(layer.get("var/lib/grafana")?.header).toMatchObject({ uid: 472, gid: 0, mode: 0o775 });
});

test("writes directories before their contents", async () => {
  const { layer } = await grafana();
  const names = [...layer.keys()];
  for (const [index, name] of names.entries()) {
    const parent = path.dirname(name);
    if (parent !== ".") expect(names.slice(0, index)).toContain(parent);
  }
});

test("reuses a cached image until the path of a binary changes", async () => {
  const first = await cached(recipeOf(pauseImage));
  const made = await stat(first);
  expect(await cached(recipeOf(pauseImage))).toBe(first);
  expect((await stat(first)).mtimeMs).toBe(made.mtimeMs);
  const moved: ImageSource = {
    ...source,
    path: (name) => path.join(dir, "bin", ".", name).replace("/bin/", "/bin/../bin/"),
  };
  expect(await cached(recipeOf(pauseImage, moved))).not.toBe(first);
});

test("fails on a missing binary and leaves no partial image in the cache", async () => {
  await rm(path.join(dir, "bin", "pause"));
  await expect(cached(recipeOf(pauseImage))).rejects.toThrow(/pause/);
  await writeFile(path.join(dir, "bin", "pause"), "now there", { mode: 0o755 });
  const { layer } = await readImage(await cached(recipeOf(pauseImage)));
  expect(layer.get("pause")?.bytes.toString()).toBe("now there");
});

test("drops the digest of a pinned image, because an image built here has another one", () => {
  const pinned = `quay.io/prometheus/prometheus:v3.16.0@sha256:${"0".repeat(64)}`;
  expect(builtNames({ ...images, prometheus: pinned }).prometheus).toBe(
    "quay.io/prometheus/prometheus:v3.16.0",
  );
  expect(imagesToOverride({ prometheus: pinned, grafana: "docker.io/grafana/grafana:13.2.3" })).toEqual({
    prometheus: "quay.io/prometheus/prometheus:v3.16.0",
  });
});
