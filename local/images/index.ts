export type { ImageOptions, ImageSource } from "./cache.ts";
export { corednsImage, grafanaImage, pauseImage } from "./recipes.ts";
export { ensureImageStore, seedContainerd, type ImageStore } from "./store.ts";
