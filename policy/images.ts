/**
 * Returns the reason why an image is not exact; undefined if the image is exact. An image is exact if it has a digest
 * or a tag with at least three version numbers. Other tags, such as "latest", "v3" or "3.16", are moved to new
 * releases.
 */
export function inexactImage(image: string | undefined): string | undefined {
  if (image === undefined || image === "") return "no image is set";
  if (/@sha256:[0-9a-f]{64}$/.test(image)) return undefined;
  const tag = /:([^:/]+)$/.exec(image)?.[1];
  if (tag === undefined) return `${image} has no tag, which means the latest version`;
  if (/^[^0-9]*[0-9]+\.[0-9]+\.[0-9]+/.test(tag)) return undefined;
  return `${image} has a tag that moves to new releases`;
}
