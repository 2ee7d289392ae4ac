/** Marks what a POST leaves from earlier pushes, so that the recording rules don't take it for the last run's. */
import { sizesOf } from "./canary.ts";
import { gateway } from "./gateway.ts";
import { groupSizes } from "./quota.ts";

/**
 * The family `push_proxy_stale_family`, which is stored with a POST: a sample for each family of the group that the POST
 * doesn't have. A PUT replaces it with all of the group.
 */
export async function staleFamilies(path: string, text: Buffer): Promise<Buffer> {
  const pushed = await sizesOf({ method: "PUT", path, headers: {}, body: text });
  if (pushed === undefined) return Buffer.alloc(0);
  const stored = await groupSizes(gateway, pushed.labels);
  if (stored === undefined) return Buffer.alloc(0);
  const stale = [...stored.families.keys()].filter((name) => !pushed.families.has(name));
  // The Pushgateway would keep those of an earlier POST if this one had none.
  const names = stale.length === 0 ? [""] : stale;
  const lines = names.map((name) => `push_proxy_stale_family{family="${name}"} 1\n`);
  return Buffer.from(`# TYPE push_proxy_stale_family gauge\n${lines.join("")}`);
}
