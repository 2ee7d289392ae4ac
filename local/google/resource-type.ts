import type { Failure } from "../plugin/plugin.ts";
import type { Values } from "../plugin/values.ts";
import type { ApiName } from "./apis.ts";
import type { Occasion } from "./faults.ts";
import type { Machines } from "./machines.ts";
import type { Place, Scope } from "./place.ts";
import type { Effects } from "../plugin/schema/differences.ts";
import type { Checks } from "../plugin/schema/refuse.ts";
import type { Data, Resource } from "./store.ts";

/** What is behind the API. */
export interface Behind {
  readonly machines: Machines;
  /** How many resources of a type there is room for, by token; no limit where it doesn't say. */
  readonly room: Readonly<Record<string, number>>;
  /** Folder with a folder per zone, and in that one per compute disk. */
  readonly disksDir: string;
  /** Folder with a folder per snapshot. */
  readonly snapshotsDir: string;
}

/** A resource that asks to be let in, or to be changed. */
export interface Request {
  readonly path: string;
  readonly inputs: Values;
  readonly place: Place;
  /** All that is there. To look at, not to change. */
  readonly data: Data;
  /** The resource as it was, when it is to be changed. */
  readonly previous?: Resource;
}

/** What a resource is let in with. */
export interface Admitted {
  /** Outputs beside the arguments and the place. */
  readonly outputs: Values;
  /** What only the emulation needs to remember. */
  readonly inner?: Values;
  /** What Google makes beside it, by path, unless it is there. */
  readonly beside?: Readonly<Record<string, Resource>>;
}

/** One resource type of the emulated API: all that is particular to it. */
export interface ResourceType {
  /** Pulumi's token, e.g. `gcp:compute/network:Network`. */
  readonly token: string;
  /** As the real provider calls it in messages, e.g. `Subnetwork`. */
  readonly title: string;
  /** As Google calls it in messages, e.g. `network`, of `The network resource '…' is already being used`. */
  readonly kind: string;
  readonly scope: Scope;
  /** The API that it belongs to, and that has to be on. */
  readonly api: ApiName;
  /** Checks of single arguments beyond the provider's schema (`schema/`), which is the source of all else. */
  readonly checks?: Checks;
  /** Changes whose effect the provider decides from the values. */
  readonly effects?: Effects;
  /**
   * Values that Google sets whatever the arguments say, and that the provider reads back and compares: another value
   * in the arguments, or none, is a difference in each preview.
   */
  forced?(inputs: Values): Values;
  /**
   * The path that an import id stands for, where the two differ.
   *
   * @throws Error in the real importer's words when the id has another form
   */
  importPath?(id: string): string;
  /** What is wrong with the arguments together. May see values that are not known yet. */
  refuse?(inputs: Values): Failure[];
  /** The path in the API, also Pulumi's id. */
  path(inputs: Values, place: Place): string;
  /** Paths of what it refers to: has to be there, and stays as long as this does. */
  uses?(inputs: Values, place: Place): string[];
  /** Paths of what has to be there when it is made, and may go later. */
  needs?(inputs: Values, place: Place): string[];
  /** Path of what it is a part of: has to be there, and takes this with it. */
  parent?(inputs: Values, place: Place): string;
  /**
   * Lets it in, or refuses it as Google does. Quick, since all else waits.
   *
   * @throws ApiError
   */
  admit(request: Request): Admitted;
  /**
   * Does what the arguments ask for, e.g. starts machines. May be repeated after a crash.
   *
   * @returns outputs that became known by it
   */
  work?(behind: Behind, resource: Resource): Promise<Values>;
  /** Outputs that change with what else is there: told at each look, never kept. */
  observe?(path: string, resource: Resource, data: Data): Values;
  /** Paths of what uses it and is none of the resources here, e.g. a node; they become the output `users`. */
  users?(behind: Behind, path: string, resource: Resource): Promise<string[]>;
  /** Paths of what uses it, is none of the resources here, and holds its deletion up. */
  holders?(behind: Behind, path: string, resource: Resource): Promise<string[]>;
  /** What is made of it at Google just before it is removed, by path. */
  leaves?(behind: Behind, resource: Resource): Promise<Record<string, Resource>>;
  /** Whether making one that is there already takes that one over, as of a switch that is on. */
  adopts?(inputs: Values): boolean;
  /** Whether it stays as it is at Google when the program lets go of it. */
  stays?(resource: Resource): boolean;
  /** Whether a deletion has to be refused. `data` is what else is there. @throws Error */
  refuseRemoval?(resource: Resource, data: Data): void;
  /**
   * What the real provider makes of a creation that it waited for in vain. `lost`, the default: an error, and
   * the engine does not know of the resource. `kept`: an error, and it does. `found`: it looks, finds the
   * resource and goes on.
   */
  readonly afterTimeout?: "lost" | "kept" | "found";
  /** What the real provider puts before an error; by default `Error creating TITLE`. */
  telling?(occasion: Occasion, inputs: Values): string;
  /** Undoes what {@link work} did. May be repeated. `data` is what else is there. */
  remove?(behind: Behind, resource: Resource, data: Data): Promise<void>;
}

/** Google's numeric ids. */
export function numericId(): string {
  return String(Math.floor(Math.random() * 9e15) + 1e15);
}

/** The outputs that most compute resources have. The real API keeps them over updates. */
export function stamped(previous: Resource | undefined, link: string): Values {
  return {
    creationTimestamp: previous?.outputs["creationTimestamp"] ?? new Date().toISOString(),
    selfLink: link,
  };
}

/** Outputs of a type with labels: those given, and with those that the provider adds, of which there are none. */
export function labelled(inputs: Values, argument = "labels"): Values {
  const labels = inputs[argument] ?? {};
  return { pulumiLabels: labels, effectiveLabels: labels, labelFingerprint: "42WmSpB8rSM=" };
}
