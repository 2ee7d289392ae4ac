import path from "node:path";
import { writeArchive } from "./archive.ts";
import { contentKey, inCache, type ImageOptions, type ImageSource } from "./cache.ts";
import { recipes } from "./recipes.ts";

export type { ImageOptions, ImageSource } from "./cache.ts";
export { corednsImage, grafanaImage, pauseImage } from "./recipes.ts";
export { ensureImageStore, seedContainerd, type ImageStore } from "./store.ts";

/** An image in a tar that `ctr --namespace k8s.io images import` takes. */
export interface ImageFile {
  /** Full name with its tag, as a pod writes it. */
  name: string;
  tar: string;
}

/**
 * Makes the environment's container images from the toolchain's binaries. What the cache has is not made
 * again. To get all of them into a node, `ensureImageStore` is the faster way.
 *
 * @throws Error when a binary can't be read or the cache can't be written
 */
export async function ensureImages(source: ImageSource, options: ImageOptions = {}): Promise<ImageFile[]> {
  const files: ImageFile[] = [];
  for (const recipe of recipes(source)) {
    const name = `${shortName(recipe.name)}-${contentKey([recipe])}`;
    const folder = await inCache(source.cacheDir, name, async (out) => {
      options.report?.(`making the image ${recipe.name}`);
      await writeArchive([recipe], path.join(out, "image.tar"));
    });
    files.push({ name: recipe.name, tar: path.join(folder, "image.tar") });
  }
  return files;
}

/** `grafana` of `localhost/k8sfv/grafana:10.0.0`. */
function shortName(image: string): string {
  return path.basename(image).replace(/:.*/, "");
}
