import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiError } from "./api-error.ts";
import { billingMissing, findApi } from "./apis.ts";
import { permissionMissing } from "./permissions.ts";
import { lastPart } from "./place.ts";
import type { Store } from "./store.ts";

/** What is done to a resource. */
export type Operation = "create" | "read" | "update" | "delete";

/** One rule of the faults file: what goes wrong, or takes time, where and how often. */
interface Rule {
  /** E.g. `compute.Subnetwork`; any type by default. */
  type?: string;
  /** Any operation by default. */
  operation?: Operation;
  /** Name in the program; any by default. */
  name?: string;
  /**
   * `quota`, `permission`, `billing`: refused, nothing done; `billing` strikes only where an API that costs
   * is switched on. `timeout`: done, and then an error all the same. `crash`: done, and then this process
   * is gone.
   */
  fault?: "quota" | "permission" | "billing" | "timeout" | "crash";
  /** How often the fault strikes, over all runs. 1 by default. */
  times?: number;
  /** How long the operation takes. */
  seconds?: number;
}

/** The faults file: rules, and how much of Google's usual duration every operation takes. */
export interface Faults {
  rules?: Rule[];
  /** 1 is as slow as Google; 0, the default, no delay at all. */
  latencyScale?: number;
  /** How long an API that was switched on refuses requests, in seconds; 0 by default. At Google it is some minutes. */
  apiDelaySeconds?: number;
}

/** A resource and what is done to it. */
export interface Occasion {
  /** Short form of the type, e.g. `compute.Subnetwork`. */
  readonly type: string;
  readonly operation: Operation;
  readonly name: string;
  /** Path in the API, for the words of a refusal. */
  readonly path: string;
  readonly project: string;
}

/**
 * How long Google takes, in seconds. Orders of magnitude: none of these is a promise of Google's, whose
 * documentation says "several minutes" of a cluster; they are for tests of what happens meanwhile.
 */
const usualSeconds: Record<string, Partial<Record<Operation, number>>> = {
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
/** Of every other type. */
const usualSecondsOtherwise = 2;

/** Somebody stopped waiting; what was asked for is done all the same. */
export class TimedOut extends Error {}

/** Faults and delays that a test asked for. Without a file there are none. */
export class FaultInjector {
  constructor(
    private readonly file: string,
    private readonly store: Store,
  ) {}

  /** How long an API that was switched on refuses requests, in ms. */
  apiDelayMs(): number {
    return (this.load()?.apiDelaySeconds ?? 0) * 1000;
  }

  /** Takes the time that the operation takes, and refuses it when it is to be refused. */
  async before(occasion: Occasion): Promise<void> {
    const faults = this.load();
    if (faults === undefined) return;
    await sleep(seconds(faults, occasion) * 1000);
    const quota = await this.strikes(faults, occasion, "quota");
    if (quota)
      throw new ApiError(
        403,
        `Quota exceeded for ${occasion.type} in project ${occasion.project}.`,
        "quotaExceeded",
      );
    if (await this.strikes(faults, occasion, "permission")) throw permissionMissing(occasion);
    const api = billedApi(occasion);
    if (api !== undefined && (await this.strikes(faults, occasion, "billing"))) {
      throw billingMissing(occasion.project, api);
    }
  }

  /** Lets a thing that is done end badly, when it is to. */
  async after(occasion: Occasion): Promise<void> {
    const faults = this.load();
    if (faults === undefined) return;
    if (await this.strikes(faults, occasion, "crash")) process.kill(process.pid, "SIGKILL");
    if (await this.strikes(faults, occasion, "timeout")) {
      throw new TimedOut(
        `Error waiting for ${occasion.operation} of ${occasion.path}: timeout while waiting for state to become 'DONE' (last state: 'RUNNING')`,
      );
    }
  }

  private load(): Faults | undefined {
    if (!existsSync(this.file)) return undefined;
    try {
      return JSON.parse(readFileSync(this.file, "utf8")) as Faults;
    } catch (error) {
      throw new Error(`${this.file} is not JSON: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Whether a rule asks for the fault now. Counted before it strikes, so that a crash counts too. */
  private async strikes(faults: Faults, occasion: Occasion, fault: Rule["fault"]): Promise<boolean> {
    for (const rule of faults.rules ?? []) {
      if (rule.fault !== fault || !fits(rule, occasion)) continue;
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

function fits(rule: Rule, { type, operation, name }: Occasion): boolean {
  return (
    (rule.type ?? type) === type &&
    (rule.operation ?? operation) === operation &&
    (rule.name ?? name) === name
  );
}

function seconds(faults: Faults, occasion: Occasion): number {
  const rule = (faults.rules ?? []).find((one) => one.seconds !== undefined && fits(one, occasion));
  if (rule?.seconds !== undefined) return rule.seconds;
  if (occasion.operation === "read") return 0;
  const usual = usualSeconds[occasion.type]?.[occasion.operation] ?? usualSecondsOtherwise;
  return usual * (faults.latencyScale ?? 0);
}

/** Name of the API that costs, when the occasion is that it is switched on. */
function billedApi({ type, operation, path }: Occasion): string | undefined {
  if (type !== "projects.Service" || operation !== "create") return undefined;
  const name = lastPart(path);
  return findApi(name)?.billed === true ? name : undefined;
}
