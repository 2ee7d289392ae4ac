import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { UNKNOWN, type Values } from "../../plugin/values.ts";
import { resourceTypes } from "../resources/index.ts";
import { validate } from "../../plugin/schema/validate.ts";
import { isInput, type Block } from "../../plugin/schema/argument.ts";
import { schemaOf, schemas } from "./table.ts";

const project = new URL("../../../../", import.meta.url);
const tokens = Object.keys(schemas);

function reasons(schema: Block, inputs: Values): string[] {
  return validate(schema, {}, inputs).map(({ reason }) => reason);
}

test("has a table for every emulated type", () => {
  expect(resourceTypes.map(({ token }) => token).toSorted()).toEqual(tokens.toSorted());
});

/** Returns the arguments that the npm package declares for a type. */
function declaredArguments(token: string): string[] {
  const [, file = "", name = ""] = token.split(":");
  const declarations = new URL(
    `node_modules/@pulumi/gcp/${file.replace("iAMMember", "iammember")}.d.ts`,
    project,
  );
  const [, body = ""] = readFileSync(declarations, "utf8").split(`export interface ${name}Args {\n`);
  return [...body.matchAll(/^ {4}(\w+)\??: pulumi\.Input</gm)].map(([, argument = ""]) => argument);
}

/**
 * Arguments that `@pulumi/gcp` declares but the older `table.json` lacks, by resource type. The Pulumi program does not
 * use them.
 */
const newer: Readonly<Record<string, readonly string[]>> = {
  "gcp:compute/address:Address": ["ipCollection"],
  "gcp:compute/disk:Disk": ["eraseWindowsVssSignature"],
  "gcp:compute/snapshot:Snapshot": ["params", "sourceInstantSnapshot"],
  "gcp:container/cluster:Cluster": [
    "autopilotClusterPolicyConfig",
    "autopilotPrivilegedAdmissions",
    "dataplaneOptimizationMode",
    "desiredEmulatedVersion",
    "ignoreNodeCountChanges",
    "managedMachineLearningDiagnosticsConfig",
    "managedOpentelemetryConfig",
    "nodeCreationConfig",
    "rollbackSafeUpgrade",
    "skipNodePoolRefresh",
  ],
  "gcp:container/nodePool:NodePool": ["ignoreNodeCountChanges", "maintenancePolicies", "nodeDrainConfigs"],
};

/**
 * The only emulated type without an argument `deletionPolicy` in the npm package. table.json is older than the package
 * and does not have this argument for any type.
 */
const withoutPolicy = "gcp:projects/iAMMember:IAMMember";

test.each(tokens)("has the same arguments for %s as the npm package, apart from newer ones", (token) => {
  const known = Object.entries(schemaOf(token)).filter(([, argument]) => isInput(argument));
  const added = [...(newer[token] ?? []), ...(token === withoutPolicy ? [] : ["deletionPolicy"])];
  const all = [...known.map(([name]) => name), ...added];
  expect(declaredArguments(token).toSorted()).toEqual(all.toSorted());
});

test("rejects conflicting arguments, and a group of arguments of which none is set", () => {
  const firewall = schemaOf("gcp:compute/firewall:Firewall");
  const rule = { name: "one", network: "k8sfv", allows: [{ protocol: "tcp" }] };
  expect(reasons(firewall, { ...rule, sourceTags: ["a"], targetServiceAccounts: ["b"] })).toEqual([
    'Conflicting configuration arguments: "source_tags": conflicts with target_service_accounts',
    'Conflicting configuration arguments: "target_service_accounts": conflicts with source_tags',
  ]);
  expect(reasons(firewall, { ...rule, sourceTags: ["a"], targetServiceAccounts: UNKNOWN })).toEqual([]);
  const cluster = schemaOf("gcp:container/cluster:Cluster");
  expect(reasons(cluster, { name: "one", privateClusterConfig: {} })[0]).toMatch(
    /^Missing required argument: "private_cluster_config.0.enable_private_endpoint": one of `.*` must be specified$/,
  );
});
