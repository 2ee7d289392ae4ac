export { builtNames, imagesToOverride } from "./names.ts";
export type { ImageOptions, ImageSource } from "./cache.ts";
export { pullImages, runsOfficialImages } from "./official.ts";
export {
  corednsImage,
  grafanaImage,
  grafanaRecipe,
  haproxyImage,
  haproxyRecipe,
  nodeImage,
  pauseImage,
  prometheusRecipes,
  recipes,
  type PrometheusImages,
  type Recipe,
} from "./recipes.ts";
export { ensureImageStore, isSeeded, seedContainerd, type ImageStore } from "./store.ts";
