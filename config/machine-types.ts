import type { Problem } from "./problems.ts";
import { valueAt } from "./problems.ts";

/**
 * Largest memory limit of a container, that of Prometheus, in MiB. A test compares the value with the resource graph.
 */
export const LARGEST_POD_MIB = 2048;

/** Memory of machine types with a shared core in MiB (cloud.google.com/compute/docs/general-purpose-machines). */
const SHARED_CORE: Readonly<Record<string, number>> = {
  "e2-micro": 1024,
  "e2-small": 2048,
  "e2-medium": 4096,
  "f1-micro": 614,
  "g1-small": 1740,
};

/**
 * Minimum memory in MiB for each vCPU of a predefined machine type. The n1-highcpu types have only 922 MiB for each
 * vCPU, but `checkMachineType` gives the same results for them with 1,024 MiB.
 */
const HIGHCPU_MIB = 1024;
const STANDARD_MIB = 3840;

/**
 * Checks that each node can run Prometheus at its memory limit, because the scheduler may place Prometheus on any node.
 */
export function checkMachineType(raw: unknown): Problem[] {
  const path = ["cluster", "machineType"];
  const value = valueAt(raw, path);
  const memory = typeof value === "string" ? memoryOf(value) : undefined;
  if (memory === undefined || allocatable(memory) >= LARGEST_POD_MIB) return [];
  const allowed =
    `a machine type with ${LARGEST_POD_MIB} MiB of allocatable memory for Prometheus, like e2-medium or e2-standard-2; ` +
    `this one has ${Math.floor(allocatable(memory))} MiB allocatable of ${memory} MiB`;
  return [{ path, value, allowed }];
}

/**
 * Returns a machine type's memory in MiB. For standard and highcpu types it is the minimum of all machine series.
 * Returns undefined for types that this function doesn't know, e.g. highmem.
 */
function memoryOf(machineType: string): number | undefined {
  const [, custom] = /custom-[0-9]+-([0-9]+)(-ext)?$/.exec(machineType) ?? [];
  if (custom !== undefined) return Number(custom);
  const [, kind, cpus] = /^[a-z0-9]+-(standard|highcpu)-([0-9]+)$/.exec(machineType) ?? [];
  if (kind !== undefined) return Number(cpus) * (kind === "highcpu" ? HIGHCPU_MIB : STANDARD_MIB);
  return SHARED_CORE[machineType];
}

/**
 * Returns the allocatable memory of a node in MiB. GKE reserves 25 % of the first 4 GiB and 20 % of the next 4 GiB, but
 * 255 MiB of a machine with less than 1 GiB. In addition, it reserves 100 MiB for eviction. The reserve of the memory
 * above 8 GiB is left out, because such machines have enough for Prometheus in any case
 * (cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes).
 */
function allocatable(memory: number): number {
  const reserved =
    memory < 1024 ? 255 : 0.25 * Math.min(memory, 4096) + 0.2 * Math.max(0, Math.min(memory, 8192) - 4096);
  return memory - reserved - 100;
}
