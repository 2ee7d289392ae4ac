import { expect, test } from "vitest";
import { ingressesAreGuarded } from "../../policy/ingresses.ts";
import { problems, resource, UNKNOWN, type Props } from "./policy-subjects.ts";

const INGRESS = "kubernetes:networking.k8s.io/v1:Ingress";
const toPush = {
  rules: [{ http: { paths: [{ backend: { service: { name: "push" } } }] } }],
};
const ofClass = (name: string) => ({ annotations: { "kubernetes.io/ingress.class": name } });

/** What a program asks for in turn: an Ingress to a Service that is under a security policy with these rules. */
function guardedBy(rules: Props[], name = "armor") {
  const annotations = { "cloud.google.com/backend-config": '{"default": "backend"}' };
  return [
    resource("gcp:compute/securityPolicy:SecurityPolicy", { name: "armor", rules }),
    resource("kubernetes:cloud.google.com/v1:BackendConfig", {
      metadata: { name: "backend" },
      spec: { securityPolicy: { name } },
    }),
    resource("kubernetes:core/v1:Service", { metadata: { name: "push", annotations } }),
    resource(INGRESS, { metadata: ofClass("gce"), spec: toPush }),
  ];
}

/** What the rule says, in the end. */
async function judged(asked: ReturnType<typeof guardedBy>): Promise<string[]> {
  const said: string[] = [];
  for (const one of asked) said.push(...(await problems(ingressesAreGuarded, one)));
  return said;
}

const rule = (action: string, ...srcIpRanges: string[]) => ({ action, match: { config: { srcIpRanges } } });

test.each<[string, ReturnType<typeof guardedBy>]>([
  ["is internal", [resource(INGRESS, { metadata: ofClass("gce-internal"), spec: toPush })]],
  [
    "is internal by its field",
    [resource(INGRESS, { spec: { ...toPush, ingressClassName: "gce-internal" } })],
  ],
  ["leads nowhere", [resource(INGRESS, { spec: {} })]],
  ["lets named ranges in", guardedBy([rule("allow", "203.0.113.0/24"), rule("deny(403)", "*")])],
  ["slows everybody down", guardedBy([rule("throttle", "*"), rule("allow", "*")])],
])("an Ingress passes that %s", async (_, resources) => {
  expect(await judged(resources)).toEqual([]);
});

test("what a preview doesn't know yet is left to the up that follows", async () => {
  // The library skips the rule for the Ingress then, and says so.
  const asked = guardedBy([rule("allow", "203.0.113.0/24")], UNKNOWN);
  await expect(judged(asked)).rejects.toThrow("can't be known");
});

test.each<[string, ReturnType<typeof guardedBy>, string]>([
  [
    "leads to a Service that the program does not make",
    [resource(INGRESS, { spec: { defaultBackend: { service: { name: "unheard-of" } } } })],
    "It opens unheard-of to the internet",
  ],
  [
    "leads to a Service without a policy",
    [
      resource("kubernetes:core/v1:Service", { metadata: { name: "push" } }),
      resource(INGRESS, { spec: toPush }),
    ],
    "It opens push to the internet",
  ],
  [
    "is external by its annotation, whatever its field says",
    [
      resource(INGRESS, {
        metadata: ofClass("gce"),
        spec: { ...toPush, ingressClassName: "gce-internal" },
      }),
    ],
    "It opens push to the internet",
  ],
  [
    "has a default backend without a policy",
    [
      resource("kubernetes:extensions/v1beta1:Ingress", {
        spec: { defaultBackend: { service: { name: "all" } } },
      }),
    ],
    "It opens all to the internet",
  ],
  ["names a policy of somebody else", guardedBy([rule("deny(403)", "*")], "other"), "It opens push"],
  ["allows everybody", guardedBy([rule("allow", "*")]), "it allows everybody"],
  [
    "allows half the world",
    guardedBy([rule("allow", "0.0.0.0/1"), rule("deny(403)", "*")]),
    "0.0.0.0/1 is wider",
  ],
])("an Ingress is refused that %s", async (_, resources, words) => {
  expect(await judged(resources)).toEqual([expect.stringContaining(words)]);
});
