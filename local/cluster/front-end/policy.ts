import { BlockList } from "node:net";

/** A rule of a security policy, as Google's API has it. */
export interface PolicyRule {
  priority: number;
  /** `allow`, `deny(STATUS)` or `throttle`. */
  action: string;
  match: { config: { srcIpRanges: string[] } };
  /** Of `throttle`. */
  rateLimitOptions?: {
    /** `deny(STATUS)`. */
    exceedAction: string;
    rateLimitThreshold: { count: number; intervalSec: number };
  };
}

/** What a client's address has asked for lately, by rule and address. */
export type Counts = Map<string, number[]>;

/**
 * What a security policy makes of a request: the first rule by priority whose ranges hold the client's address
 * decides.
 *
 * @param counts - is added to
 * @param now - milliseconds
 * @returns the status it is refused with; undefined when it may pass
 */
export function refusal(
  rules: readonly PolicyRule[],
  address: string,
  counts: Counts,
  now: number,
): number | undefined {
  const rule = [...rules]
    .sort((a, b) => a.priority - b.priority)
    .find(({ match }) => holds(match.config.srcIpRanges, address));
  // Google asks for a last rule for everybody; without one nothing is refused.
  if (rule === undefined || rule.action === "allow") return undefined;
  if (rule.rateLimitOptions === undefined) return statusOf(rule.action);
  const { exceedAction, rateLimitThreshold } = rule.rateLimitOptions;
  const key = `${rule.priority} ${address}`;
  const since = now - rateLimitThreshold.intervalSec * 1000;
  const recent = (counts.get(key) ?? []).filter((time) => time > since);
  const over = recent.length >= rateLimitThreshold.count;
  counts.set(key, over ? recent : [...recent, now]);
  return over ? statusOf(exceedAction) : undefined;
}

function holds(ranges: readonly string[], address: string): boolean {
  const list = new BlockList();
  for (const range of ranges.map((one) => (one === "*" ? "0.0.0.0/0" : one))) {
    const [network = "", prefix = "32"] = range.split("/");
    list.addSubnet(network, Number(prefix), "ipv4");
  }
  return list.check(address, "ipv4");
}

/** 403 of `deny(403)`. */
function statusOf(action: string): number {
  return Number(/\d+/.exec(action)?.[0] ?? 403);
}
