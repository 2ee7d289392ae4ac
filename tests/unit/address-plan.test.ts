import fc from "fast-check";
import { expect, test } from "vitest";
import { crossChecks } from "../../config/checks.ts";

/** A range as integers, independent of the code under test. */
interface Plain {
  first: number;
  prefix: number;
}

const formatAddress = (address: number) =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
const span = ({ prefix }: Plain) => 2 ** (32 - prefix);
const formatRange = (range: Plain) => `${formatAddress(range.first)}/${range.prefix}`;
/**
 * Generates ranges above 10.0.0.0. They are close together, so that some plans have overlapping ranges and
 * others don't.
 */
const plain = (min: number, max: number) =>
  fc.tuple(fc.nat(2 ** 22), fc.integer({ min, max })).map(([offset, prefix]): Plain => {
    const size = 2 ** (32 - prefix);
    return { first: 10 * 2 ** 24 + Math.floor((offset * 4) / size) * size, prefix };
  });

const plan = fc.record({
  primary: plain(18, 27),
  pods: plain(14, 24),
  services: plain(16, 27),
  controlPlane: plain(28, 28),
  nodeCount: fc.integer({ min: 1, max: 100 }),
  offsets: fc.uniqueArray(fc.integer({ min: -4, max: 40 }), { minLength: 3, maxLength: 3 }),
});

type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never;

function problemsOf({ primary, pods, services, controlPlane, nodeCount, offsets }: Plan): string[] {
  const [pushGateway, prometheus, grafana] = offsets.map((offset) => formatAddress(primary.first + offset));
  return crossChecks({
    network: {
      primaryCidr: formatRange(primary),
      podCidr: formatRange(pods),
      serviceCidr: formatRange(services),
      controlPlaneCidr: formatRange(controlPlane),
    },
    cluster: { nodeCount, endpoint: "ip", authorizedNetworks: ["203.0.113.0/24"] },
    addresses: { pushGateway, prometheus, grafana },
  }).map(({ path }) => path.join("."));
}

function disjoint(a: Plain, b: Plain): boolean {
  return a.first + span(a) <= b.first || b.first + span(b) <= a.first;
}

test("accepts a plan if and only if its ranges are disjoint and large enough, and its addresses are in the primary range", () => {
  let accepted = 0;
  fc.assert(
    fc.property(plan, (one) => {
      const ranges = [one.primary, one.pods, one.services, one.controlPlane];
      const apart = ranges.every((a, at) => ranges.slice(0, at).every((b) => disjoint(a, b)));
      // Google Cloud reserves the first two and the last two addresses of a range.
      const inside = one.offsets.every((offset) => offset >= 2 && offset < span(one.primary) - 2);
      // During an upgrade the cluster has one more node. The primary range also contains three load
      // balancers, the control plane and the four addresses that Google Cloud reserves.
      const largeEnough =
        one.nodeCount + 1 <= span(one.pods) / 256 && one.nodeCount + 1 + 3 + 1 + 4 <= span(one.primary);
      accepted += apart && inside && largeEnough ? 1 : 0;
      expect(problemsOf(one).length === 0).toBe(apart && inside && largeEnough);
    }),
    { numRuns: 2000 },
  );
  // The test proves something only if it has both accepted and rejected plans.
  expect(accepted).toBeGreaterThan(50);
  expect(accepted).toBeLessThan(1950);
});

test("reports the configuration key of a range that overlaps another or is too small", () => {
  fc.assert(
    fc.property(plan, (one) => {
      const problems = problemsOf(one);
      const overlapping = !disjoint(one.pods, one.primary);
      if (overlapping) expect(problems).toContain("network.podCidr");
      if (one.nodeCount + 1 > span(one.pods) / 256) expect(problems).toContain("network.podCidr");
      if (one.nodeCount + 9 > span(one.primary)) expect(problems).toContain("network.primaryCidr");
    }),
  );
});
