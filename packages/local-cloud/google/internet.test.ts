import { expect, test } from "vitest";
import { change, drop, made, make, testCloud } from "./testing.ts";

const last = { priority: 2_147_483_647, action: "deny(403)", match: match("*") };

function match(...srcIpRanges: string[]) {
  return { versionedExpr: "SRC_IPS_V1", config: { srcIpRanges } };
}

test("assigns each global address once, and rejects a specific address in the arguments", async () => {
  const cloud = testCloud();
  const first = await make(cloud, "GlobalAddress", { name: "first" });
  const second = await make(cloud, "GlobalAddress", { name: "second" });
  expect([first.state["address"], second.state["address"]]).toEqual(["203.0.113.1", "203.0.113.2"]);
  expect(first.id).toBe("projects/calico-test/global/addresses/first");
  await drop(cloud, "GlobalAddress", first);
  const third = await make(cloud, "GlobalAddress", { name: "third" });
  expect(third.state["address"]).toBe("203.0.113.1");
  await expect(make(cloud, "GlobalAddress", { name: "mine", address: "203.0.113.9" })).rejects.toThrow(
    "Google chooses external addresses",
  );
  await expect(make(cloud, "GlobalAddress", { name: "in", addressType: "INTERNAL" })).rejects.toThrow(
    "use EXTERNAL",
  );
});

test("announces addresses and security policies to Ingresses until they are deleted", async () => {
  const cloud = testCloud();
  const address = await make(cloud, "GlobalAddress", { name: "address" });
  const policy = await make(cloud, "SecurityPolicy", { name: "policy", rules: [last] });
  expect(cloud.announced).toEqual(
    new Map<string, unknown>([
      ["address", "203.0.113.1"],
      ["policy", [last]],
    ]),
  );
  const allow = { ...last, action: "allow" };
  const changed = await change(cloud, "SecurityPolicy", policy, { name: "policy", rules: [allow] });
  expect(cloud.announced.get("policy")).toEqual([allow]);
  await drop(cloud, "SecurityPolicy", changed);
  await drop(cloud, "GlobalAddress", address);
  expect(cloud.announced).toEqual(new Map());
});

test("rejects the deletion of an address that an Ingress uses", async () => {
  const cloud = testCloud();
  const address = await make(cloud, "GlobalAddress", { name: "push" });
  expect(address.state).not.toHaveProperty("users");
  cloud.held.addresses.set("203.0.113.1", "monitoring/prom-gateway-external");
  await expect(drop(cloud, "GlobalAddress", address)).rejects.toThrow(
    "'projects/calico-test/global/forwardingRules/k8s2-fs-monitoring-prom-gateway-external'",
  );
  cloud.held.addresses.clear();
  await drop(cloud, "GlobalAddress", address);
  expect(made(cloud)).toEqual([]);
});

test("updates a security policy in place", async () => {
  const cloud = testCloud();
  const policy = await make(cloud, "SecurityPolicy", { name: "push", rules: [last] });
  const allow = { priority: 1000, action: "allow", match: match("192.0.2.0/24") };
  const changed = await change(cloud, "SecurityPolicy", policy, { name: "push", rules: [allow, last] });
  expect(changed).toMatchObject({ changed: true, replace: [] });
  expect(changed.state["fingerprint"]).not.toBe(policy.state["fingerprint"]);
});

const throttle = {
  priority: 1000,
  action: "throttle",
  match: match("*"),
  rateLimitOptions: {
    conformAction: "allow",
    exceedAction: "deny(429)",
    enforceOnKey: "IP",
    rateLimitThreshold: { count: 120, intervalSec: 60 },
  },
};
const many = Array.from({ length: 11 }, (_, at) => `192.0.2.${at}/32`);

test.each([
  ["no default rule", [{ ...last, priority: 5 }], 'needs a default rule with priority 2147483647 for "*"'],
  ["a default rule for some addresses", [{ ...last, match: match("192.0.2.0/24") }], 'for "*"'],
  ["a duplicate priority", [last, last], "two rules have priority 2147483647"],
  [
    "eleven ranges",
    [{ ...last, priority: 1, match: match(...many) }, last],
    "Attribute supports 10 item maximum, but config has 11 declared.",
  ],
  [
    "no range",
    [{ ...last, priority: 1, match: match() }, last],
    "Attribute requires 1 item minimum, but config has only 0 declared.",
  ],
  ["a range with host bits", [{ ...last, priority: 1, match: match("192.0.2.1/24") }, last], "192.0.2.1/24"],
  ["an unknown action", [{ ...last, priority: 1, action: "block" }, last], 'not "block"'],
  [
    "throttle without options",
    [{ ...throttle, rateLimitOptions: undefined }, last],
    "needs rateLimitOptions",
  ],
  [
    "an unsupported interval",
    [
      {
        ...throttle,
        rateLimitOptions: {
          ...throttle.rateLimitOptions,
          rateLimitThreshold: { count: 1, intervalSec: 7 },
        },
      },
      last,
    ],
    "rateLimitThreshold",
  ],
  ["a limit on allow", [{ ...throttle, action: "allow" }, last], "need action throttle"],
])("rejects a security policy with %s", async (_, rules, words) => {
  await expect(make(testCloud(), "SecurityPolicy", { name: "push", rules })).rejects.toThrow(words);
});

test("accepts the program's security policy", async () => {
  const rules = [throttle, { ...last, action: "allow" }];
  const { state } = await make(testCloud(), "SecurityPolicy", { name: "push", rules });
  expect(state).toMatchObject({ type: "CLOUD_ARMOR", name: "push" });
});
