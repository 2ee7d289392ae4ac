import { images } from "../project/images.ts";

/** Removes the digest from an image reference: an image built here has another digest than the official one. */
export function withoutDigest(image: string): string {
  return image.replace(/@.*$/, "");
}

type Names = Record<keyof typeof images, string>;

/** Returns the names of the images that the local cloud builds: the references in versions.ts without their digests. */
export function builtNames(of: Names = images): Names {
  const names = Object.entries(of).map(([key, image]) => [key, withoutDigest(image)]);
  return Object.fromEntries(names) as Names;
}

/** Value of the local stack's configuration key `images`: the pinned images of versions.ts without their digests. */
export function imagesToOverride(of: Readonly<Record<string, string>> = images): Record<string, string> {
  const pinned = Object.entries(of).filter(([, image]) => image.includes("@"));
  return Object.fromEntries(pinned.map(([key, image]) => [key, withoutDigest(image)]));
}
