import type { Problem } from "./problems.ts";
import { valueAt } from "./problems.ts";

/** The largest memory limit of a pod, Prometheus's, in MiB. A test holds it to the resource graph. */
export const LARGEST_POD_MIB = 2048;

/** Memory of the machine types with a shared core, in MiB (cloud.google.com/compute/docs/general-purpose-machines). */
const SHARED_CORE: Readonly<Record<string, number>> = {
  "e2-micro": 1024,
  "e2-small": 2048,
  "e2-medium": 4096,
  "f1-micro": 614,
  "g1-small": 1740,
};

/** Memory per vCPU of predefined machine types with fewer than 4 GiB for each, in MiB. */
const HIGHCPU_MIB = 1024;
const STANDARD_MIB = 3840;

/** A node has to hold Prometheus at its limit: the scheduler places it anywhere, and it may not grow on a smaller one. */
export function checkMachineType(raw: unknown): Problem[] {
  const path = ["cluster", "machineType"];
  const was = valueAt(raw, path);
  const memory = typeof was === "string" ? memoryOf(was) : undefined;
  if (memory === undefined || allocatable(memory) >= LARGEST_POD_MIB) return [];
  const allowed =
    `a machine type whose nodes have ${LARGEST_POD_MIB} MiB for Prometheus, like e2-medium or e2-standard-2; ` +
    `GKE leaves ${Math.floor(allocatable(memory))} MiB of this one's ${memory}`;
  return [{ path, was, allowed }];
}

/** Memory of a machine type in MiB, never more than it has; undefined for a family that isn't known. */
function memoryOf(machineType: string): number | undefined {
  const [, custom] = /custom-[0-9]+-([0-9]+)(-ext)?$/.exec(machineType) ?? [];
  if (custom !== undefined) return Number(custom);
  const [, kind, cpus] = /^[a-z0-9]+-(standard|highcpu)-([0-9]+)$/.exec(machineType) ?? [];
  if (kind !== undefined) return Number(cpus) * (kind === "highcpu" ? HIGHCPU_MIB : STANDARD_MIB);
  return SHARED_CORE[machineType];
}

/**
 * Memory that GKE leaves to pods, in MiB: it keeps 255 MiB of a machine with less than 1 GiB, else 25 % of the first
 * 4 GiB and 20 % of the next 4, and 100 MiB for eviction. Of larger machines it keeps more, which is of no matter here
 * (cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes).
 */
function allocatable(memory: number): number {
  const reserved =
    memory < 1024 ? 255 : 0.25 * Math.min(memory, 4096) + 0.2 * Math.max(0, Math.min(memory, 8192) - 4096);
  return memory - reserved - 100;
}
