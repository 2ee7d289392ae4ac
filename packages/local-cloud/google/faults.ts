import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiError } from "./model/api-error.ts";
import { billingMissing, findApi } from "./model/apis.ts";
import { permissionMissing } from "./model/permissions.ts";
import type { Operation, OperationContext } from "./model/operation.ts";
import { lastPart } from "./model/place.ts";
import type { Store } from "./model/store.ts";

/** A rule of the faults file: which fault or delay to inject, for which operations, and how often. */
interface Rule {
  /** Type, e.g. `compute.Subnetwork`. @default any type */
  type?: string;
  /** Operation. @default any operation */
  operation?: Operation;
  /** Name in the Pulumi program. @default any name */
  name?: string;
  /**
   * Fault to inject. `quota`, `permission` and `billing` reject the operation; `billing` applies only to the creation
   * of a `projects.Service` that enables Compute Engine or Kubernetes Engine. `timeout` completes the operation and
   * then fails. `crash` completes the operation and then kills the plugin. Neither of these two applies to reads.
   */
  fault?: "quota" | "permission" | "billing" | "timeout" | "crash";
  /** Maximum number of injections of this rule's fault, over all runs. @default 1 */
  times?: number;
  /**
   * Duration in seconds of each operation that the rule matches. The option `times`, which limits the injections of the
   * fault, does not limit it.
   *
   * @default Google's typical duration, scaled by `latencyScale`
   */
  seconds?: number;
}

/** Content of the faults file. */
export interface Faults {
  rules?: Rule[];
  /**
   * Duration of each operation, as a fraction of Google's typical duration. Reads have no delay. A rule's `seconds`
   * takes precedence.
   * @default 0, no delay
   */
  latencyScale?: number;
  /** Time in seconds for which a newly enabled API rejects requests; some minutes at Google. @default 0 */
  apiDelaySeconds?: number;
}

/**
 * Typical durations at Google in seconds. They are orders of magnitude for tests, not documented values:
 * Google's documentation says "several minutes" for a cluster.
 */
const typicalSeconds: Record<string, Partial<Record<Operation, number>>> = {
  "compute.Network": { create: 12, delete: 12 },
  "compute.Subnetwork": { create: 14, update: 12, delete: 12 },
  "compute.Router": { create: 12, delete: 12 },
  "compute.RouterNat": { create: 12, update: 12, delete: 12 },
  "compute.GlobalAddress": { create: 5, delete: 5 },
  "compute.SecurityPolicy": { create: 12, update: 12, delete: 12 },
  "compute.Disk": { create: 3, update: 3, delete: 2 },
  "container.Cluster": { create: 360, update: 120, delete: 180 },
  "container.NodePool": { create: 90, update: 120, delete: 150 },
};
/** Typical duration in seconds of the operations that `typicalSeconds` does not contain. */
const defaultSeconds = 2;

/** Injected error: the client's wait for an operation times out, although the operation succeeds. */
export class OperationTimeoutError extends Error {}

/** Injects the faults and delays of the faults file. Does nothing if the file does not exist. */
export class FaultInjector {
  constructor(
    private readonly file: string,
    private readonly store: Store,
  ) {}

  /** Returns the time in milliseconds for which a newly enabled API rejects requests. */
  apiDelayMs(): number {
    return (this.load()?.apiDelaySeconds ?? 0) * 1000;
  }

  /** Runs before an operation: waits for the operation's duration, and injects errors. @throws ApiError */
  async before(context: OperationContext): Promise<void> {
    const faults = this.load();
    if (faults === undefined) return;
    await sleep(seconds(faults, context) * 1000);
    const quota = await this.shouldInject(faults, context, "quota");
    if (quota)
      throw new ApiError(
        403,
        `Quota exceeded for ${context.type} in project ${context.project}.`,
        "quotaExceeded",
      );
    if (await this.shouldInject(faults, context, "permission")) throw permissionMissing(context);
    const api = billedApi(context);
    if (api !== undefined && (await this.shouldInject(faults, context, "billing"))) {
      throw billingMissing(context.project, api);
    }
  }

  /** Runs after an operation: injects a crash or a timeout. @throws OperationTimeoutError */
  async after(context: OperationContext): Promise<void> {
    const faults = this.load();
    if (faults === undefined) return;
    if (await this.shouldInject(faults, context, "crash")) process.kill(process.pid, "SIGKILL");
    if (await this.shouldInject(faults, context, "timeout")) {
      throw new OperationTimeoutError(
        `Error waiting for ${context.operation} of ${context.path}: timeout while waiting for state to become 'DONE' (last state: 'RUNNING')`,
      );
    }
  }

  private load(): Faults | undefined {
    if (!existsSync(this.file)) return undefined;
    try {
      return JSON.parse(readFileSync(this.file, "utf8")) as Faults;
    } catch (error) {
      throw new Error(`${this.file} is not valid JSON: ${(error as Error).message}`, { cause: error });
    }
  }

  /**
   * Reports whether to inject the fault now, and if so counts the injection. The count is stored before the injection,
   * because the fault `crash` kills this process.
   */
  private async shouldInject(
    faults: Faults,
    context: OperationContext,
    fault: Rule["fault"],
  ): Promise<boolean> {
    for (const rule of faults.rules ?? []) {
      if (rule.fault !== fault || !matchesRule(rule, context)) continue;
      const key = JSON.stringify(rule);
      const struck = await this.store.change((data) => {
        const times = data.faults[key] ?? 0;
        if (times >= (rule.times ?? 1)) return false;
        data.faults[key] = times + 1;
        return true;
      });
      if (struck) return true;
    }
    return false;
  }
}

function matchesRule(rule: Rule, { type, operation, name }: OperationContext): boolean {
  return (
    (rule.type ?? type) === type &&
    (rule.operation ?? operation) === operation &&
    (rule.name ?? name) === name
  );
}

function seconds(faults: Faults, context: OperationContext): number {
  const rule = (faults.rules ?? []).find((one) => one.seconds !== undefined && matchesRule(one, context));
  if (rule?.seconds !== undefined) return rule.seconds;
  if (context.operation === "read") return 0;
  const usual = typicalSeconds[context.type]?.[context.operation] ?? defaultSeconds;
  return usual * (faults.latencyScale ?? 0);
}

/** Returns the name of the API that the operation enables, if this API needs a billing account; else undefined. */
function billedApi({ type, operation, path }: OperationContext): string | undefined {
  if (type !== "projects.Service" || operation !== "create") return undefined;
  const name = lastPart(path);
  return findApi(name)?.billed === true ? name : undefined;
}
