import { isValues, map, maps, optionalText, type Value, type Values } from "../../plugin/values.ts";
import type { Failure } from "../../plugin/plugin.ts";
import { between, checkRange, oneOf, sameReference, type Arguments, type Effect } from "../arguments.ts";
import { parseRange } from "../cidr.ts";

/** Google's rule for the names of clusters and node pools: at most 40 characters. */
export function checkClusterName(value: Value, argument: string): string | undefined {
  const name = typeof value === "string" ? value : "";
  if (name.length > 40) return `"${argument}" cannot be longer than 40 characters`;
  if (!/^[a-z0-9-]*$/.test(name))
    return `"${argument}" can only contain lowercase letters, numbers and hyphens`;
  if (!/^[a-z]/.test(name)) return `"${argument}" must start with a letter`;
  return name.endsWith("-") ? `"${argument}" must end with a number or a letter` : undefined;
}

/** What can be switched on in place, but not off again. */
function onlyOn(before: Value | undefined): Effect {
  return before === true ? "replace" : "update";
}

/** Arguments of a cluster, and what a change of each does in the real provider. */
export const clusterArguments: Arguments = {
  name: { change: "replace", check: checkClusterName },
  location: { change: "replace" },
  description: { change: "replace" },
  network: { change: "replace", default: "default", same: sameReference },
  subnetwork: { change: "replace", same: sameReference },
  ipAllocationPolicy: { change: "replace" },
  networkingMode: { change: "replace", check: oneOf("VPC_NATIVE") },
  datapathProvider: { change: "replace", check: oneOf("LEGACY_DATAPATH", "ADVANCED_DATAPATH") },
  defaultMaxPodsPerNode: { change: "replace", check: between(8, 256) },
  initialNodeCount: { change: "replace", check: between(0, 1000) },
  removeDefaultNodePool: {},
  privateClusterConfig: {
    replacePaths: ["masterIpv4CidrBlock", "privateEndpointSubnetwork"],
    check: checkPrivate,
  },
  masterAuth: { replacePaths: ["clientCertificateConfig"] },
  masterAuthorizedNetworksConfig: { check: checkAuthorized },
  confidentialNodes: { change: "replace" },
  enableKubernetesAlpha: { change: "replace", default: false },
  enableL4IlbSubsetting: { change: onlyOn },
  enableFqdnNetworkPolicy: { change: onlyOn, default: false },
  deletionProtection: { default: true },
  enableShieldedNodes: { default: true },
  enableLegacyAbac: { default: false },
  project: { change: "replace" },
  releaseChannel: { check: checkChannel },
  ...Object.fromEntries(inPlace().map((name) => [name, {}])),
};

/** Arguments that are kept and answered, change in place and have no effect in the local cloud. */
function inPlace(): string[] {
  return [
    "addonsConfig",
    "anonymousAuthenticationConfig",
    "authenticatorGroupsConfig",
    "binaryAuthorization",
    "controlPlaneEndpointsConfig",
    "costManagementConfig",
    "databaseEncryption",
    "defaultSnatStatus",
    "disableL4LbFirewallReconciliation",
    "dnsConfig",
    "enableCiliumClusterwideNetworkPolicy",
    "enableIntranodeVisibility",
    "enterpriseConfig",
    "gatewayApiConfig",
    "gkeAutoUpgradeConfig",
    "identityServiceConfig",
    "loggingConfig",
    "maintenancePolicy",
    "meshCertificates",
    "minMasterVersion",
    "monitoringConfig",
    "networkPolicy",
    "nodeLocations",
    "nodePoolAutoConfig",
    "nodePoolDefaults",
    "notificationConfig",
    "rbacBindingConfig",
    "resourceLabels",
    "resourceUsageExportConfig",
    "secretManagerConfig",
    "securityPostureConfig",
    "serviceExternalIpsConfig",
    "verticalPodAutoscaling",
    "workloadIdentityConfig",
  ];
}

function checkPrivate(value: Value): string | undefined {
  const cidr = isValues(value) ? optionalText(value, "masterIpv4CidrBlock") : undefined;
  if (cidr === undefined) return undefined;
  const range = parseRange(cidr);
  return range?.prefix === 28
    ? undefined
    : `expected "private_cluster_config.0.master_ipv4_cidr_block" to contain a network Value with between 28 and 28 significant bits, got: ${cidr}`;
}

function checkAuthorized(value: Value): string | undefined {
  return maps(isValues(value) ? value : {}, "cidrBlocks")
    .map((block) => checkRange(block["cidrBlock"] ?? "", "masterAuthorizedNetworksConfig.cidrBlocks"))
    .find((wrong) => wrong !== undefined);
}

function checkChannel(value: Value): string | undefined {
  const check = oneOf("UNSPECIFIED", "RAPID", "REGULAR", "STABLE", "EXTENDED");
  return check(isValues(value) ? (value["channel"] ?? "") : value, "release_channel.0.channel");
}

/** Contradictions that Google refuses, and what is beyond the local cloud. */
export function refuseCluster(inputs: Values): Failure[] {
  const failures: Failure[] = [];
  const fail = (property: string, reason: string): void => {
    failures.push({ property, reason });
  };
  if (inputs["removeDefaultNodePool"] !== true) {
    const why = "The local cloud makes nodes by container.NodePool only: set removeDefaultNodePool to true";
    fail("removeDefaultNodePool", why);
  } else if (inputs["initialNodeCount"] === undefined || inputs["initialNodeCount"] === 0) {
    fail("initialNodeCount", "Cluster.initial_node_count must be greater than zero.");
  }
  const policy = map(inputs, "networkPolicy");
  if (inputs["datapathProvider"] === "ADVANCED_DATAPATH" && policy["enabled"] === true) {
    const why = "Enabling NetworkPolicy for clusters with DatapathProvider=ADVANCED_DATAPATH is not allowed.";
    fail("networkPolicy", why);
  }
  const ips = map(inputs, "ipAllocationPolicy");
  for (const kind of ["cluster", "services"]) {
    const [block, name] = [`${kind}Ipv4CidrBlock`, `${kind}SecondaryRangeName`];
    if (ips[block] !== undefined && ips[name] !== undefined) {
      fail("ipAllocationPolicy", `"ipAllocationPolicy.${block}": conflicts with ipAllocationPolicy.${name}`);
    }
    if (ips[block] === undefined && ips[name] === undefined) {
      fail("ipAllocationPolicy", `The local cloud needs ipAllocationPolicy.${name} or ${block}`);
    }
  }
  const [pods, services] = [ips["clusterSecondaryRangeName"], ips["servicesSecondaryRangeName"]];
  if (typeof pods === "string" && pods === services) {
    const why = `Pod secondary range name (${pods}) should not be the same as service secondary range name.`;
    fail("ipAllocationPolicy", why);
  }
  return failures;
}
