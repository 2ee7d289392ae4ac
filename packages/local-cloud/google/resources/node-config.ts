import { isValues } from "../../plugin/values.ts";
import { atLeast, oneOf, show } from "../model/checks.ts";
import type { Check, Checks } from "../../plugin/schema/validate.ts";

/** Boot disk types of nodes (cloud.google.com/kubernetes-engine/docs/how-to/custom-boot-disks). */
const diskTypes = ["pd-standard", "pd-balanced", "pd-ssd", "pd-extreme", "hyperdisk-balanced"];

/**
 * Checks the format of a machine type, e.g. `e2-standard-2` or `n2-custom-4-8192`. There is no list of types, because
 * Google adds machine types every year.
 */
const checkMachineType: Check = (value) =>
  /^[a-z][a-z0-9]*(-[a-z0-9]+)+$/.test(show(value))
    ? undefined
    : `Machine type with name '${show(value)}' does not exist.`;

const checkTogether: Check = (value) =>
  isValues(value) && value["spot"] === true && value["preemptible"] === true
    ? "Cannot set both spot and preemptible in node_config"
    : undefined;

/** Returns the checks of the kubelet configuration in the argument `path`, e.g. `nodeConfig.kubeletConfig`. */
export function kubeletChecks(path: string): Checks {
  return { [`${path}.insecureKubeletReadonlyPortEnabled`]: oneOf("FALSE", "TRUE") };
}

export const nodeConfigChecks: Checks = {
  nodeConfig: checkTogether,
  "nodeConfig.diskSizeGb": atLeast(10),
  "nodeConfig.diskType": oneOf(...diskTypes),
  "nodeConfig.machineType": checkMachineType,
  "nodeConfig.workloadMetadataConfig.mode": oneOf("MODE_UNSPECIFIED", "GCE_METADATA", "GKE_METADATA"),
  ...kubeletChecks("nodeConfig.kubeletConfig"),
};
