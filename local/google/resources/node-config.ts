import { isKnown, isValues, map, type Value, type Values } from "../../plugin/values.ts";
import { atLeast, oneOf } from "../arguments.ts";

/** Parts of a pool's `nodeConfig` that only a new pool can have otherwise, in the real provider. */
export const fixedNodeConfig = [
  "advancedMachineFeatures.enableNestedVirtualization",
  "advancedMachineFeatures.threadsPerCore",
  "bootDiskKmsKey",
  "confidentialNodes.confidentialInstanceType",
  "enableConfidentialStorage",
  "ephemeralStorageLocalSsdConfig",
  "flexStart",
  "guestAccelerators",
  "hostMaintenancePolicy",
  "localNvmeSsdBlockConfig",
  "localSsdCount",
  "localSsdEncryptionMode",
  "maxRunDuration",
  "metadata",
  "minCpuPlatform",
  "nodeGroup",
  "oauthScopes",
  "preemptible",
  "reservationAffinity",
  "secondaryBootDisks",
  "serviceAccount",
  "shieldedInstanceConfig",
  "soleTenantConfig",
  "spot",
];

/** The same of `networkConfig`. */
export const fixedNetworkConfig = [
  "additionalNodeNetworkConfigs",
  "additionalPodNetworkConfigs",
  "createPodRange",
  "podCidrOverprovisionConfig",
  "podIpv4CidrBlock",
  "podRange",
];

/** Types of a node's own disk: cloud.google.com/kubernetes-engine/docs/how-to/custom-boot-disks. */
const diskTypes = ["pd-standard", "pd-balanced", "pd-ssd", "pd-extreme", "hyperdisk-balanced"];

/** What is wrong with a pool's `nodeConfig`. */
export function checkNodeConfig(value: Value): string | undefined {
  const config = isValues(value) ? value : {};
  const wrong = [
    given(config, "diskSizeGb", (size) => atLeast(10)(size, "node_config.0.disk_size_gb")),
    given(config, "diskType", (type) => oneOf(...diskTypes)(type, "node_config.0.disk_type")),
    given(config, "machineType", checkMachineType),
    given(map(config, "workloadMetadataConfig"), "mode", (mode) =>
      oneOf("MODE_UNSPECIFIED", "GCE_METADATA", "GKE_METADATA")(mode, "mode"),
    ),
    config["spot"] === true && config["preemptible"] === true
      ? "Cannot set both spot and preemptible in node_config"
      : undefined,
  ];
  return wrong.find((reason) => reason !== undefined);
}

function given(config: Values, key: string, check: (value: Value) => string | undefined): string | undefined {
  const value = config[key];
  return value === undefined || !isKnown(value) ? undefined : check(value);
}

/** By its form alone, e.g. `e2-standard-2`, `n2-custom-4-8192`: Google has new ones every year. */
function checkMachineType(value: Value): string | undefined {
  if (typeof value === "string" && /^[a-z][a-z0-9]*(-[a-z0-9]+)+$/.test(value)) return undefined;
  return `Machine type with name '${typeof value === "string" ? value : ""}' does not exist.`;
}
