import type { V1NetworkPolicy, V1NetworkPolicySpec, V1Pod } from "@kubernetes/client-node";
import fc from "fast-check";
import { expect, test } from "vitest";
import { subtractRanges } from "./ranges.ts";
import { nodeRules } from "./rules.ts";

function pod(name: string, podIP: string, more: { namespace?: string; node?: string } = {}): V1Pod {
  const { namespace = "monitoring", node = "here" } = more;
  return {
    metadata: { name, namespace, uid: name, labels: { app: name } },
    spec: { nodeName: node, containers: [{ name, ports: [{ name: "web", containerPort: 8080 }] }] },
    status: { podIP, phase: "Running" },
  };
}

const server = pod("server", "10.249.0.2");
const client = pod("client", "10.249.0.3", { node: "there" });
const stranger = pod("stranger", "10.249.0.4", { namespace: "other" });
const namespaces = ["monitoring", "other"].map((name) => ({ metadata: { name, labels: { name } } }));

/** Returns node `here`'s rules for these policies, without the rules that every node has. */
function rules(...specs: V1NetworkPolicySpec[]): string[] {
  const policies: V1NetworkPolicy[] = specs.map((spec) => ({ metadata: { namespace: "monitoring" }, spec }));
  const text = nodeRules({ policies, pods: [server, client, stranger], namespaces }, "here");
  return text
    .split("\n")
    .filter((line) => line.startsWith("-A") && !line.includes("conntrack"))
    .map((line) => line.replace(/NP-(IN|OUT)-[0-9a-f]+/, "NP-$1").replace(/NP-(IN|OUT)-[0-9a-f]+/, "NP-$1"));
}

const onServer = { podSelector: { matchLabels: { app: "server" } } };

test("allows everything without a policy", () => {
  expect(rules()).toEqual([]);
});

test("isolates a pod that a policy without rules selects, with rules only on the pod's own node", () => {
  expect(rules({ podSelector: {}, policyTypes: ["Ingress"] })).toEqual([
    "-A NP-FORWARD -d 10.249.0.2/32 -j NP-IN",
    "-A NP-IN -s 10.249.0.2/32 -j RETURN",
    "-A NP-IN -j DROP",
  ]);
});

test("applies egress policies to connections from a pod to its node", () => {
  expect(rules({ ...onServer, policyTypes: ["Egress"] })).toEqual([
    "-A NP-FORWARD -s 10.249.0.2/32 -j NP-OUT",
    "-A NP-INPUT -s 10.249.0.2/32 -j NP-OUT",
    "-A NP-OUT -d 10.249.0.2/32 -j RETURN",
    "-A NP-OUT -j DROP",
  ]);
});

// In objects of a watch the field is named "from", in those of the client's list methods "_from".
test.each(["from", "_from"])(
  "allows pods of the same and other namespaces, and IP ranges, with the field %s",
  (from) => {
    const ingress = [
      { [from]: [{ podSelector: { matchLabels: { app: "client" } } }], ports: [{ port: "web" }] },
      {
        [from]: [{ namespaceSelector: { matchLabels: { name: "other" } } }],
        ports: [{ port: 9, endPort: 11 }],
      },
      {
        [from]: [{ ipBlock: { cidr: "10.0.0.0/30", except: ["10.0.0.1/32"] } }],
        ports: [{ protocol: "UDP", port: 53 }],
      },
    ];
    expect(rules({ ...onServer, ingress }).slice(1)).toEqual([
      "-A NP-IN -s 10.249.0.2/32 -j RETURN",
      "-A NP-IN -s 10.249.0.3/32 -p tcp --dport 8080 -j RETURN",
      "-A NP-IN -s 10.249.0.4/32 -p tcp --dport 9:11 -j RETURN",
      "-A NP-IN -s 10.0.0.0/32 -p udp --dport 53 -j RETURN",
      "-A NP-IN -s 10.0.0.2/31 -p udp --dport 53 -j RETURN",
      "-A NP-IN -j DROP",
    ]);
  },
);

test("allows all peers or ports if none are given, and combines policies", () => {
  const all = rules({ ...onServer, ingress: [{}] }, { ...onServer, ingress: [{ ports: [{ port: 1 }] }] });
  expect(all.slice(2, -1)).toEqual(["-A NP-IN -j RETURN", "-A NP-IN -p tcp --dport 1 -j RETURN"]);
});

test.each([
  [{ key: "app", operator: "In", values: ["client", "x"] }, ["10.249.0.3"]],
  [{ key: "app", operator: "NotIn", values: ["client"] }, ["10.249.0.2"]],
  [{ key: "app", operator: "Exists" }, ["10.249.0.2", "10.249.0.3"]],
  [{ key: "app", operator: "DoesNotExist" }, []],
])("selects pods by %j", (expression, addresses) => {
  const _from = [{ podSelector: { matchExpressions: [expression] } }];
  const allowed = rules({ ...onServer, ingress: [{ _from }] }).slice(2, -1);
  expect(allowed).toEqual(addresses.map((address) => `-A NP-IN -s ${address}/32 -j RETURN`));
});

test("subtracts ranges exactly", () => {
  const range = fc
    .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 24, max: 32 }))
    .map(([last, prefix]) => `10.0.0.${last - (last % 2 ** (32 - prefix))}/${prefix}`);
  const contains = (cidr: string, last: number): boolean => {
    const [address = "", prefix] = cidr.split("/");
    const first = Number(address.split(".")[3]);
    return last >= first && last < first + 2 ** (32 - Number(prefix));
  };
  fc.assert(
    fc.property(range, fc.array(range, { maxLength: 4 }), (cidr, excepted) => {
      const left = subtractRanges(cidr, excepted);
      const wrong = Array.from({ length: 256 }, (_, last) => last).filter((last) => {
        const wanted = contains(cidr, last) && !excepted.some((other) => contains(other, last));
        return left.filter((part) => contains(part, last)).length !== (wanted ? 1 : 0);
      });
      expect(wrong).toEqual([]);
    }),
  );
});
