import { parseCidr } from "../../../../lib/cidr.ts";
import type { Value } from "../../plugin/values.ts";
import { between, checkRange, checkTime, notEmulated, oneOf, show } from "../model/checks.ts";
import type { Effect, Effects } from "../../plugin/schema/differences.ts";
import type { Check, Checks } from "../../plugin/schema/validate.ts";
import { kubeletChecks, nodeConfigChecks } from "./node-config.ts";

/** Checks a cluster's or node pool's name against Google's rules. */
export const checkClusterName: Check = (value, { terraform }) => {
  const name = typeof value === "string" ? value : "";
  if (name.length > 40) return `"${terraform}" cannot be longer than 40 characters`;
  if (!/^[a-z0-9-]*$/.test(name))
    return `"${terraform}" can only contain lowercase letters, numbers and hyphens`;
  if (!/^[a-z]/.test(name)) return `"${terraform}" must start with a letter`;
  return name.endsWith("-") ? `"${terraform}" must end with a number or a letter` : undefined;
};

const checkControlPlaneRange: Check = (value, { terraform }) =>
  parseCidr(show(value))?.bitmask === 28
    ? undefined
    : `expected "${terraform}" to contain a network Value with between 28 and 28 significant bits, got: ${show(value)}`;

const checkZonal: Check = (value) =>
  /-[a-z]$/.test(show(value))
    ? undefined
    : `The local cloud doesn't emulate regional clusters: set location to a zone, not "${show(value)}"`;

export const clusterChecks: Checks = {
  name: checkClusterName,
  location: checkZonal,
  networkingMode: oneOf("VPC_NATIVE", "ROUTES"),
  datapathProvider: oneOf("DATAPATH_PROVIDER_UNSPECIFIED", "LEGACY_DATAPATH", "ADVANCED_DATAPATH"),
  defaultMaxPodsPerNode: between(8, 256),
  initialNodeCount: between(0, 1000),
  "privateClusterConfig.masterIpv4CidrBlock": checkControlPlaneRange,
  "anonymousAuthenticationConfig.mode": oneOf("ENABLED", "LIMITED"),
  "networkPolicy.provider": oneOf("PROVIDER_UNSPECIFIED", "CALICO"),
  "masterAuthorizedNetworksConfig.cidrBlocks.cidrBlock": checkRange,
  "maintenancePolicy.recurringWindow.startTime": checkTime,
  "maintenancePolicy.recurringWindow.endTime": checkTime,
  "releaseChannel.channel": oneOf("UNSPECIFIED", "RAPID", "REGULAR", "STABLE", "EXTENDED"),
  ...nodeConfigChecks,
  ...kubeletChecks("nodePoolDefaults.nodeConfigDefaults"),
  ...kubeletChecks("nodePoolAutoConfig.nodeKubeletConfig"),
  ...notEmulated("clusterAutoscaling", "clusterIpv4Cidr", "enableAutopilot", "enableTpu", "fleet"),
  ...notEmulated("nodePools", "nodeVersion", "tpuConfig"),
};

/** Returns the effect of a change of an option that can be enabled in place, but not disabled. */
function onlyOn(before: Value | undefined): Effect {
  return before === true ? "replace" : "update";
}

/** Arguments that Google can enable in place. Disabling one of them replaces the cluster. */
export const clusterEffects: Effects = { enableL4IlbSubsetting: onlyOn, enableFqdnNetworkPolicy: onlyOn };
