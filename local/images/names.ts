import { images } from "../../versions.ts";

/** Name of an image without its digest: what is built here has another one than the official image. */
export function withoutDigest(image: string): string {
  return image.replace(/@.*$/, "");
}

type Names = Record<keyof typeof images, string>;

/** The images of versions.ts, by the names under which they are built here. */
export function builtNames(of: Names = images): Names {
  const names = Object.entries(of).map(([key, image]) => [key, withoutDigest(image)]);
  return Object.fromEntries(names) as Names;
}

/** Configuration `images` of the local stack: names without digests for images that versions.ts pins by one. */
export function imagesToOverride(of: Readonly<Record<string, string>> = images): Record<string, string> {
  const pinned = Object.entries(of).filter(([, image]) => image.includes("@"));
  return Object.fromEntries(pinned.map(([key, image]) => [key, withoutDigest(image)]));
}
