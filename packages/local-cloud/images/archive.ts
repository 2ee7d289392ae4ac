import { createHash, type Hash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { PassThrough, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pack, type Pack } from "tar-stream";
import { fileTime, writeLayer } from "./layer.ts";
import type { Recipe } from "./recipes.ts";

/** Architecture names of the OCI image specification by Node's `process.arch`. */
const architectures: Partial<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** Directories in every image's PATH. Those of `Recipe.path` come before them. */
const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Writes a tar of single-layer images in the format of `docker save`, which `ctr images import` reads. Reads each
 * binary twice, because a tar header contains the layer's size and comes before the layer.
 *
 * @throws Error when a binary can't be read or the tar can't be written
 */
export async function writeArchive(recipes: Recipe[], file: string): Promise<void> {
  const archive = pack();
  const written = pipeline(archive, createWriteStream(file));
  const filled = (async () => {
    const manifest = [];
    for (const [index, recipe] of recipes.entries())
      manifest.push(await addImage(archive, recipe, `${index}`));
    archive.entry({ name: "manifest.json", mtime: fileTime }, JSON.stringify(manifest));
    archive.finalize();
  })();
  await Promise.all([written, filled]);
}

async function addImage(archive: Pack, recipe: Recipe, folder: string): Promise<object> {
  const { size, digest } = await measureLayer(recipe);
  const layer = `${folder}/layer.tar`;
  const entry = archive.entry({ name: layer, size, mtime: fileTime });
  const through = new PassThrough();
  await Promise.all([writeLayer(recipe, through), pipeline(through, entry)]);
  const config = imageConfig(recipe, digest);
  const configName = `${createHash("sha256").update(config).digest("hex")}.json`;
  archive.entry({ name: configName, mtime: fileTime }, config);
  return { Config: configName, RepoTags: [recipe.name], Layers: [layer] };
}

/** Returns the size in bytes and the SHA-256 digest of an image's layer. */
async function measureLayer(recipe: Recipe): Promise<{ size: number; digest: string }> {
  const meter = new Meter();
  await writeLayer(recipe, meter);
  return { size: meter.size, digest: meter.hash.digest("hex") };
}

class Meter extends Writable {
  size = 0;
  readonly hash: Hash = createHash("sha256");
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.size += chunk.length;
    this.hash.update(chunk);
    done();
  }
}

/** Returns the image's configuration as JSON (OCI image specification). */
export function imageConfig(recipe: Recipe, layerDigest: string): string {
  const env = { ...recipe.env, PATH: [...(recipe.path ?? []), usualPath].join(":") };
  return JSON.stringify({
    architecture: architectures[process.arch] ?? process.arch,
    os: "linux",
    created: fileTime.toISOString(),
    config: {
      Entrypoint: recipe.entrypoint,
      Cmd: recipe.command,
      User: recipe.user,
      WorkingDir: recipe.workingDir ?? "/",
      StopSignal: recipe.stopSignal,
      Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    },
    rootfs: { type: "layers", diff_ids: [`sha256:${layerDigest}`] },
  });
}
