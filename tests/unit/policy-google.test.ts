import type { PolicyResource } from "@pulumi/policy";
import { describe, expect, test } from "vitest";
import * as google from "../../policy/google.ts";
import * as shielded from "../../policy/shielded-nodes.ts";
import { tooOpen } from "../../policy/ranges.ts";
import type { Props } from "./policy-subjects.ts";
import { inStack, problems, resource, stackProblems, UNKNOWN } from "./policy-subjects.ts";

const CLUSTER = "gcp:container/cluster:Cluster";
const POOL = "gcp:container/nodePool:NodePool";

describe("Google Cloud policies", () => {
  /** Arguments that don't admit Google Cloud's public addresses. */
  const noGoogleRanges = { gcpPublicCidrsAccessEnabled: false };

  test("nodes-are-private rejects public nodes", async () => {
    const cluster = (config?: object) => resource(CLUSTER, { privateClusterConfig: config });
    expect(await problems(google.nodesArePrivate, cluster({ enablePrivateNodes: true }))).toEqual([]);
    for (const config of [undefined, {}, { enablePrivateNodes: false }]) {
      const [problem] = await problems(google.nodesArePrivate, cluster(config));
      expect(problem).toContain("Set privateClusterConfig.enablePrivateNodes to true");
    }
    const pool = (config?: object) => resource(POOL, { networkConfig: config });
    expect(await problems(google.nodesArePrivate, pool())).toEqual([]);
    expect(await problems(google.nodesArePrivate, pool({ enablePrivateNodes: true }))).toEqual([]);
    expect(await problems(google.nodesArePrivate, pool({ enablePrivateNodes: false }))).toHaveLength(1);
  });

  test.each<[string, Props]>([
    ["only the DNS endpoint", { controlPlaneEndpointsConfig: { ipEndpointsConfig: { enabled: false } } }],
    ["only an address in the VPC", { privateClusterConfig: { enablePrivateEndpoint: true } }],
    [
      "authorized networks",
      { masterAuthorizedNetworksConfig: { ...noGoogleRanges, cidrBlocks: [{ cidrBlock: "192.0.2.0/24" }] } },
    ],
    ["no authorized networks", { masterAuthorizedNetworksConfig: noGoogleRanges }],
  ])("control-plane-is-closed accepts %s", async (_, props) => {
    expect(await problems(google.controlPlaneIsClosed, resource(CLUSTER, props))).toEqual([]);
  });

  const closed = { ipEndpointsConfig: { enabled: false } };
  test.each<[string, Props]>([
    ["connections from all addresses", {}],
    [
      "connections from all addresses",
      { controlPlaneEndpointsConfig: { ipEndpointsConfig: { enabled: true } } },
    ],
    ["gcpPublicCidrs", { masterAuthorizedNetworksConfig: {} }],
    [
      "0.0.0.0/0 is",
      { masterAuthorizedNetworksConfig: { ...noGoogleRanges, cidrBlocks: [{ cidrBlock: "0.0.0.0/0" }] } },
    ],
    [
      "128.0.0.0/1 is",
      { masterAuthorizedNetworksConfig: { ...noGoogleRanges, cidrBlocks: [{ cidrBlock: "128.0.0.0/1" }] } },
    ],
    ["gcpPublicCidrs", { masterAuthorizedNetworksConfig: { gcpPublicCidrsAccessEnabled: true } }],
    [
      "enableK8sTokensViaDns",
      { controlPlaneEndpointsConfig: { ...closed, dnsEndpointConfig: { enableK8sTokensViaDns: true } } },
    ],
    [
      "enableK8sCertsViaDns",
      { controlPlaneEndpointsConfig: { ...closed, dnsEndpointConfig: { enableK8sCertsViaDns: true } } },
    ],
  ])("control-plane-is-closed reports %s", async (problem, props) => {
    expect(await problems(google.controlPlaneIsClosed, resource(CLUSTER, props))).toEqual([
      expect.stringContaining(problem),
    ]);
  });

  test("nodes-have-their-account requires a service account, which may not be created yet", async () => {
    const { nodesHaveTheirAccount: policy } = google;
    const email = "nodes@calico-test.iam.gserviceaccount.com";
    for (const removeDefaultNodePool of [true, false]) {
      expect(await problems(policy, resource(CLUSTER, { removeDefaultNodePool }))).toHaveLength(1);
    }
    for (const serviceAccount of [email, UNKNOWN]) {
      expect(await problems(policy, resource(CLUSTER, { nodeConfig: { serviceAccount } }))).toEqual([]);
      expect(await problems(policy, resource(POOL, { nodeConfig: { serviceAccount } }))).toEqual([]);
    }
    for (const nodeConfig of [undefined, {}, { serviceAccount: "default" }]) {
      expect(await problems(policy, resource(POOL, { nodeConfig }))).toEqual([
        expect.stringContaining("nodeConfig.serviceAccount"),
      ]);
    }
  });

  test.each([CLUSTER, POOL])(
    "nodes-are-shielded requires secure boot and integrity monitoring of a %s",
    async (type) => {
      const nodes = (shieldedInstanceConfig?: object) =>
        resource(type, { nodeConfig: { shieldedInstanceConfig } });
      const { nodesAreShielded: policy } = shielded;
      expect(await problems(policy, nodes({ enableSecureBoot: true }))).toEqual([]);
      for (const wrong of [
        undefined,
        { enableIntegrityMonitoring: true },
        { enableSecureBoot: true, enableIntegrityMonitoring: false },
      ]) {
        expect(await problems(policy, nodes(wrong))).toEqual([
          expect.stringContaining("enableSecureBoot to true"),
        ]);
      }
    },
  );

  describe("node-accounts-are-narrow", () => {
    const account = inStack("gcp:serviceaccount/account:Account", "account", {});
    const other = inStack("gcp:serviceaccount/account:Account", "other", {});
    const pool = inStack(
      POOL,
      "pool",
      { nodeConfig: { serviceAccount: UNKNOWN } },
      { nodeConfig: [account, other] },
    );
    const grant = (role: string, to: PolicyResource) =>
      inStack("gcp:projects/iAMMember:IAMMember", "grant", { role, member: UNKNOWN }, { member: [to] });

    test("accepts the roles that nodes need", async () => {
      const roles = ["roles/container.defaultNodeServiceAccount", "roles/artifactregistry.reader"];
      const grants = roles.map((role) => grant(role, account));
      const stranger = inStack("gcp:serviceaccount/account:Account", "stranger", {});
      const more = grant("roles/logging.viewer", stranger);
      const resources = [account, other, stranger, pool, ...grants, more];
      expect(await stackProblems(google.nodeAccountsAreNarrow, resources)).toEqual([]);
    });

    test("reports other roles in a preview, in which the account is known only from dependencies", async () => {
      const bare = inStack(POOL, "bare", { nodeConfig: UNKNOWN });
      const resources = [account, bare, pool, grant("roles/storage.objectViewer", account)];
      expect(await stackProblems(google.nodeAccountsAreNarrow, resources)).toEqual([
        expect.stringMatching(/^grant: It grants roles\/storage.objectViewer to the nodes' service account/),
      ]);
    });

    test("reports other roles of an account that another program created", async () => {
      const email = "nodes@calico-test.iam.gserviceaccount.com";
      const known = inStack(POOL, "pool", { nodeConfig: { serviceAccount: email } });
      const props = { role: "roles/viewer", members: [`serviceAccount:${email}`, "user:one@example.com"] };
      const binding = inStack("gcp:projects/iAMBinding:IAMBinding", "binding", props);
      expect(await stackProblems(google.nodeAccountsAreNarrow, [known, binding])).toEqual([
        expect.stringMatching(/^binding: It grants roles\/viewer/),
      ]);
    });
  });

  test("roles-are-narrow rejects owner, editor and administrator roles", async () => {
    const member = (role: string) => resource("gcp:projects/iAMMember:IAMMember", { role, member: UNKNOWN });
    expect(await problems(google.rolesAreNarrow, member("roles/monitoring.viewer"))).toEqual([]);
    for (const role of [
      "roles/owner",
      "roles/editor",
      "roles/container.clusterAdmin",
      "roles/storage.admin",
    ]) {
      expect(await problems(google.rolesAreNarrow, member(role))).toEqual([expect.stringContaining(role)]);
    }
    const policyData = JSON.stringify({ bindings: [{ role: "roles/owner", members: ["allUsers"] }] });
    const whole = resource("gcp:projects/iAMPolicy:IAMPolicy", { policyData });
    expect(await problems(google.rolesAreNarrow, whole)).toEqual([expect.stringContaining("roles/owner")]);
  });

  test("history-is-protected requires the option protect, except in the stacks in throwAwayStacks", async () => {
    const disk = (protect: boolean, stack?: string) =>
      resource("gcp:compute/disk:Disk", { size: 200 }, protect, stack);
    const config = { throwAwayStacks: ["local"] };
    const { historyIsProtected: policy } = google;
    expect(await problems(policy, disk(true), config)).toEqual([]);
    expect(await problems(policy, disk(false), config)).toEqual([
      expect.stringContaining("Set the option protect to true"),
    ]);
    await expect(problems(policy, disk(false, "local"), config)).rejects.toThrow("not applicable");
    expect(await problems(policy, disk(false, "local"), { throwAwayStacks: [] })).toHaveLength(1);
  });

  test("history-has-snapshots requires a snapshot schedule", async () => {
    const disk = inStack("gcp:compute/disk:Disk", "disk", { name: "prometheus" });
    const policyOf = (props: Props) =>
      inStack("gcp:compute/resourcePolicy:ResourcePolicy", "policy", { name: "daily", ...props });
    const schedule = policyOf({ snapshotSchedulePolicy: { schedule: { dailySchedule: {} } } });
    const attach = (props: Props, from: Record<string, PolicyResource[]>) =>
      inStack(
        "gcp:compute/diskResourcePolicyAttachment:DiskResourcePolicyAttachment",
        "attachment",
        props,
        from,
      );
    const unknown = { disk: UNKNOWN, name: UNKNOWN };
    const { historyHasSnapshots: policy } = google;

    const attached = attach(unknown, { disk: [disk], name: [schedule] });
    expect(await stackProblems(policy, [disk, schedule, attached])).toEqual([]);
    const byName = attach({ disk: "prometheus", name: "daily" }, {});
    expect(await stackProblems(policy, [disk, schedule, byName])).toEqual([]);

    const missing = [expect.stringMatching(/^disk: It has no snapshot schedule/)];
    expect(await stackProblems(policy, [disk, schedule])).toEqual(missing);
    const elsewhere = attach({ disk: "grafana", name: "daily" }, {});
    expect(await stackProblems(policy, [disk, schedule, elsewhere])).toEqual(missing);
    const placement = policyOf({ groupPlacementPolicy: {} });
    const wrong = attach(unknown, { disk: [disk], name: [placement] });
    expect(await stackProblems(policy, [disk, placement, wrong])).toEqual(missing);
  });
});

test.each([
  ["10.0.0.0/8", true],
  ["10.248.0.0/20", true],
  ["192.0.2.7", true],
  ["127.0.0.1/32", true],
  ["198.51.0.0/16", true],
  ["198.50.0.0/15", false],
  ["8.0.0.0/7", false],
  ["0.0.0.0/0", false],
  ["0.0.0.0/1", false],
  ["anywhere", false],
  ["2001:db8::/32", true],
  ["2001:db8::1", true],
  ["::/0", false],
])("tooOpen accepts the range %s: %s", (range, narrow) => {
  expect(tooOpen(range) === undefined).toBe(narrow);
});
