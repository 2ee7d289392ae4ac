import { expect, test } from "vitest";
import { ingressesAreGuarded } from "../../policy/ingresses.ts";
import { problems, resource, UNKNOWN, type Props } from "./policy-subjects.ts";

const INGRESS = "kubernetes:networking.k8s.io/v1:Ingress";
const toPush = {
  rules: [{ http: { paths: [{ backend: { service: { name: "push" } } }] } }],
};
const ofClass = (name: string) => ({ annotations: { "kubernetes.io/ingress.class": name } });

/**
 * Returns an external Ingress and the resources it needs (security policy with these rules, BackendConfig, Service),
 * in the order in which Pulumi registers them.
 */
function ingressWithPolicy(rules: Props[], name = "armor") {
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

/** Returns the violations of all resources. */
async function violations(resources: ReturnType<typeof ingressWithPolicy>): Promise<string[]> {
  const messages: string[] = [];
  for (const one of resources) messages.push(...(await problems(ingressesAreGuarded, one)));
  return messages;
}

const rule = (action: string, ...srcIpRanges: string[]) => ({ action, match: { config: { srcIpRanges } } });

test.each<[string, ReturnType<typeof ingressWithPolicy>]>([
  ["is internal", [resource(INGRESS, { metadata: ofClass("gce-internal"), spec: toPush })]],
  [
    "is internal by its field",
    [resource(INGRESS, { spec: { ...toPush, ingressClassName: "gce-internal" } })],
  ],
  ["has no backend", [resource(INGRESS, { spec: {} })]],
  ["allows certain ranges", ingressWithPolicy([rule("allow", "203.0.113.0/24"), rule("deny(403)", "*")])],
  ["throttles all clients", ingressWithPolicy([rule("throttle", "*"), rule("allow", "*")])],
])("accepts an Ingress that %s", async (_, resources) => {
  expect(await violations(resources)).toEqual([]);
});

test("throws the policy library's error if it reads an unknown value", async () => {
  // In a preview, the policy library catches the UnknownValueError and prints a warning. `pulumi up` then checks the
  // known value.
  const resources = ingressWithPolicy([rule("allow", "203.0.113.0/24")], UNKNOWN);
  await expect(violations(resources)).rejects.toThrow("can't be known");
});

test.each<[string, ReturnType<typeof ingressWithPolicy>, string]>([
  [
    "refers to a Service of another program",
    [resource(INGRESS, { spec: { defaultBackend: { service: { name: "unheard-of" } } } })],
    "It exposes unheard-of to the internet",
  ],
  [
    "refers to a Service without a security policy",
    [
      resource("kubernetes:core/v1:Service", { metadata: { name: "push" } }),
      resource(INGRESS, { spec: toPush }),
    ],
    "It exposes push to the internet",
  ],
  [
    "is external by its annotation and internal by its field",
    [
      resource(INGRESS, {
        metadata: ofClass("gce"),
        spec: { ...toPush, ingressClassName: "gce-internal" },
      }),
    ],
    "It exposes push to the internet",
  ],
  [
    "has a default backend without a security policy",
    [
      resource("kubernetes:extensions/v1beta1:Ingress", {
        spec: { defaultBackend: { service: { name: "all" } } },
      }),
    ],
    "It exposes all to the internet",
  ],
  [
    "refers to a security policy of another program",
    ingressWithPolicy([rule("deny(403)", "*")], "other"),
    "It exposes push",
  ],
  ["allows all addresses", ingressWithPolicy([rule("allow", "*")]), "it allows all addresses"],
  [
    "allows half of all addresses",
    ingressWithPolicy([rule("allow", "0.0.0.0/1"), rule("deny(403)", "*")]),
    "0.0.0.0/1 is wider",
  ],
])("rejects an Ingress that %s", async (_, resources, words) => {
  expect(await violations(resources)).toEqual([expect.stringContaining(words)]);
});
