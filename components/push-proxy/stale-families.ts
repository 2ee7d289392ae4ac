/**
 * A POST keeps the group's metric families that it doesn't contain. This file marks them with a metric, so that the
 * recording rules don't take them for results of the last run.
 */
import { sizesOf } from "./canary.ts";
import { gateway } from "./gateway.ts";
import { groupSizes } from "./quota.ts";

/**
 * Returns the family `push_proxy_stale_family`, which the proxy appends to a POST. It has a sample for each family that
 * the group already has and the POST doesn't contain. A later PUT removes it, because a PUT replaces the whole group.
 */
export async function staleFamilies(path: string, text: Buffer): Promise<Buffer> {
  const pushed = await sizesOf({ method: "PUT", path, headers: {}, body: text });
  if (pushed === undefined) return Buffer.alloc(0);
  const stored = await groupSizes(gateway, pushed.labels);
  if (stored === undefined) return Buffer.alloc(0);
  const stale = [...stored.families.keys()].filter((name) => !pushed.families.has(name));
  // Without stale families, a sample with an empty `family` replaces the samples of an earlier POST, which the
  // Pushgateway would otherwise keep.
  const names = stale.length === 0 ? [""] : stale;
  const lines = names.map((name) => `push_proxy_stale_family{family="${name}"} 1\n`);
  return Buffer.from(`# TYPE push_proxy_stale_family gauge\n${lines.join("")}`);
}
