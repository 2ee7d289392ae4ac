/**
 * Why it isn't certain what this image is; undefined when it is. Certain is a digest, or a tag with a whole
 * version, of at least three numbers: registries move tags like "latest", "v3" and "3.16" to each new release.
 */
export function inexact(image: string | undefined): string | undefined {
  if (image === undefined || image === "") return "no image is named";
  if (/@sha256:[0-9a-f]{64}$/.test(image)) return undefined;
  const tag = /:([^:/]+)$/.exec(image)?.[1];
  if (tag === undefined) return `${image} has no tag, so it is whatever is the latest`;
  if (/^[^0-9]*[0-9]+\.[0-9]+\.[0-9]+/.test(tag)) return undefined;
  return `${image} moves from release to release`;
}
