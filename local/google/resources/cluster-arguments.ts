import { isValues, maps, optionalText, type Value } from "../../plugin/values.ts";
import { between, checkRange, oneOf, sameReference, type Arguments, type Effect } from "../arguments.ts";
import { parseRange } from "../cidr.ts";
import { checkNodeConfig } from "./node-config.ts";

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

/** Parts of `ipAllocationPolicy` that only a new cluster can have otherwise. */
const fixedAllocation = [
  "clusterIpv4CidrBlock",
  "clusterSecondaryRangeName",
  "podCidrOverprovisionConfig",
  "servicesIpv4CidrBlock",
  "servicesSecondaryRangeName",
];

/** Arguments of a cluster, and what a change of each does in the real provider. */
export const clusterArguments: Arguments = {
  name: { change: "replace", check: checkClusterName },
  location: { change: "replace" },
  description: { change: "replace" },
  network: { change: "replace", default: "default", same: sameReference },
  subnetwork: { change: "replace", same: sameReference },
  ipAllocationPolicy: { replacePaths: fixedAllocation },
  networkingMode: { change: "replace", check: oneOf("VPC_NATIVE", "ROUTES") },
  datapathProvider: {
    change: "replace",
    check: oneOf("DATAPATH_PROVIDER_UNSPECIFIED", "LEGACY_DATAPATH", "ADVANCED_DATAPATH"),
  },
  defaultMaxPodsPerNode: { change: "replace", check: between(8, 256) },
  initialNodeCount: { change: "replace", check: between(0, 1000) },
  removeDefaultNodePool: {},
  privateClusterConfig: {
    replacePaths: ["masterIpv4CidrBlock", "privateEndpointSubnetwork"],
    check: checkPrivate,
  },
  anonymousAuthenticationConfig: { check: checkAnonymous },
  networkPolicy: { check: checkPolicy },
  masterAuth: { replacePaths: ["clientCertificateConfig"] },
  nodeConfig: { change: "replace", check: checkNodeConfig },
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

function checkAnonymous(value: Value): string | undefined {
  const mode = isValues(value) ? value["mode"] : undefined;
  const name = "anonymous_authentication_config.0.mode";
  return oneOf("ENABLED", "LIMITED")(mode ?? "", name);
}

function checkPolicy(value: Value): string | undefined {
  const policy = isValues(value) ? value : {};
  if (typeof policy["enabled"] !== "boolean") return 'Missing required argument: "network_policy.0.enabled"';
  const provider = policy["provider"] ?? "PROVIDER_UNSPECIFIED";
  return oneOf("PROVIDER_UNSPECIFIED", "CALICO")(provider, "network_policy.0.provider");
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
