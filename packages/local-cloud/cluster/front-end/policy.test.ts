import { expect, test } from "vitest";
import { evaluatePolicy, type PolicyRule } from "./policy.ts";

const from = (...srcIpRanges: string[]) => ({ config: { srcIpRanges } });
const last: PolicyRule = { priority: 2_147_483_647, action: "deny(403)", match: from("*") };

test("applies the rule with the lowest priority number of those whose ranges contain the address", () => {
  const rules: PolicyRule[] = [
    last,
    { priority: 20, action: "allow", match: from("198.51.100.0/24", "203.0.113.7/32") },
    { priority: 10, action: "deny(404)", match: from("198.51.100.128/25") },
  ];
  const asked = (address: string) => evaluatePolicy(rules, address, new Map(), 0);
  expect(asked("198.51.100.127")).toBeUndefined();
  expect(asked("198.51.100.128")).toBe(404);
  expect(asked("203.0.113.7")).toBeUndefined();
  expect(asked("203.0.113.8")).toBe(403);
  expect(evaluatePolicy([], "203.0.113.8", new Map(), 0)).toBeUndefined();
});

test("limits the rate of each address over the rule's interval", () => {
  const limit = { exceedAction: "deny(429)", rateLimitThreshold: { count: 2, intervalSec: 60 } };
  const throttle: PolicyRule = { priority: 1, action: "throttle", match: from("*"), rateLimitOptions: limit };
  const requestTimes = new Map<string, number[]>();
  const asked = (address: string, seconds: number) =>
    evaluatePolicy([throttle, last], address, requestTimes, seconds * 1000);
  expect([asked("192.0.2.1", 0), asked("192.0.2.1", 30), asked("192.0.2.1", 59)]).toEqual([
    undefined,
    undefined,
    429,
  ]);
  expect(asked("192.0.2.2", 59)).toBeUndefined();
  // The first request has left the interval, and rejected requests don't count.
  expect(asked("192.0.2.1", 61)).toBeUndefined();
  expect(asked("192.0.2.1", 62)).toBe(429);
});
