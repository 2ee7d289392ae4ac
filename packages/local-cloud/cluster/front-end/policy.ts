import { BlockList } from "node:net";

/** A rule of a security policy, as in Google's API. */
export interface PolicyRule {
  readonly priority: number;
  /** `allow`, `deny(STATUS)` or `throttle`. */
  readonly action: string;
  readonly match: { readonly config: { readonly srcIpRanges: readonly string[] } };
  /** Options of action `throttle`. */
  readonly rateLimitOptions?: {
    /** Action for requests above the threshold: `deny(STATUS)`. */
    readonly exceedAction: string;
    readonly rateLimitThreshold: { readonly count: number; readonly intervalSec: number };
  };
}

/** Times of recent requests, in milliseconds, by rule and client address. */
export type RequestTimes = Map<string, number[]>;

/**
 * Evaluates a security policy. Of the rules whose ranges contain the client's address, the one with the lowest priority
 * number applies.
 *
 * @param requestTimes times of earlier requests that throttle rules allowed. The function adds this request if a
 * throttle rule allows it
 * @param now Unix time in milliseconds
 * @returns the HTTP status to reject the request with, or undefined if the request is allowed
 */
export function evaluatePolicy(
  rules: readonly PolicyRule[],
  address: string,
  requestTimes: RequestTimes,
  now: number,
): number | undefined {
  const rule = [...rules]
    .sort((a, b) => a.priority - b.priority)
    .find(({ match }) => contains(match.config.srcIpRanges, address));
  // Without a security policy there are no rules. In a policy some rule always matches, because Google requires a
  // default rule for all addresses.
  if (rule === undefined || rule.action === "allow") return undefined;
  if (rule.rateLimitOptions === undefined) return statusOf(rule.action);
  const { exceedAction, rateLimitThreshold } = rule.rateLimitOptions;
  const key = `${rule.priority} ${address}`;
  const since = now - rateLimitThreshold.intervalSec * 1000;
  const recent = (requestTimes.get(key) ?? []).filter((time) => time > since);
  const over = recent.length >= rateLimitThreshold.count;
  requestTimes.set(key, over ? recent : [...recent, now]);
  return over ? statusOf(exceedAction) : undefined;
}

function contains(ranges: readonly string[], address: string): boolean {
  const list = new BlockList();
  for (const range of ranges.map((one) => (one === "*" ? "0.0.0.0/0" : one))) {
    const [network = "", prefix = "32"] = range.split("/");
    list.addSubnet(network, Number(prefix), "ipv4");
  }
  return list.check(address, "ipv4");
}

/** Returns the status of an action, e.g. 403 for `deny(403)`. */
function statusOf(action: string): number {
  return Number(/\d+/.exec(action)?.[0] ?? 403);
}
