import type { Values } from "./values.ts";

/** What a provider plugin of this project answers to the engine. Secrets arrive as plain values. */
export interface Plugin {
  /** Version it was asked for under, that of the npm package. */
  readonly version: string;
  /** Takes the provider's own settings, e.g. the project; called once, before any resource. */
  configure(settings: Values): void;
  /** Completes the arguments of a resource by defaults, and refuses wrong ones. */
  check(request: CheckRequest): CheckedInputs;
  /** What would change, and whether in place. */
  diff(request: DiffRequest): Difference;
  create(request: CreateRequest): Promise<Made>;
  /** The resource as it is. Undefined when it is gone. */
  read(request: ReadRequest): Promise<ReadResult | undefined>;
  /** @returns the resource's state after the change */
  update(request: UpdateRequest): Promise<Values>;
  delete(request: DeleteRequest): Promise<void>;
  /** Answers a function. @throws Error for one it does not know */
  invoke(token: string, args: Values): Promise<Values>;
}

/**
 * A resource that is there, and not as it should be: the engine keeps it, shows the error and updates it at
 * the next run. Thrown by `create`.
 */
export class PartialCreateError extends Error {
  constructor(
    message: string,
    readonly made: Made,
  ) {
    super(message);
    this.name = "PartialCreateError";
  }
}

/** The resource that is spoken of. */
export interface Subject {
  /** Token of its type, e.g. `gcp:compute/network:Network`. */
  readonly type: string;
  /** Name in the program. */
  readonly name: string;
}

export interface CheckRequest extends Subject {
  /** Arguments it was made with, undefined for a new one. */
  readonly before: Values | undefined;
  readonly inputs: Values;
  /** Makes generated names the same in a preview and the run that follows it. */
  readonly seed: Uint8Array;
}

export interface CheckedInputs {
  readonly inputs: Values;
  readonly failures: readonly Failure[];
}

/** One argument that is wrong. */
export interface Failure {
  /** The argument; empty when it is about several. */
  readonly property: string;
  readonly reason: string;
}

export interface DiffRequest extends Subject {
  readonly id: string;
  readonly state: Values;
  /** Arguments it was made with. */
  readonly before: Values;
  readonly inputs: Values;
}

/** One argument that differs. */
export interface Change {
  /** E.g. `nodeConfig.labels.zone` or `allows[0].ports`. */
  readonly path: string;
  readonly kind: "add" | "delete" | "update";
  /** Whether it needs a new resource. */
  readonly replace: boolean;
}

export interface Difference {
  readonly changes: readonly Change[];
  /** Whether the old one has to go before the new one can come, e.g. because both have the same name. */
  readonly deleteBeforeReplace: boolean;
}

export interface CreateRequest extends Subject {
  readonly inputs: Values;
  /** Only say what it would be; make nothing. */
  readonly preview: boolean;
}

export interface Made {
  /** Empty in a preview. */
  readonly id: string;
  readonly state: Values;
}

export interface ReadRequest extends Subject {
  readonly id: string;
  /** Arguments it was made with; empty when it is being imported. */
  readonly inputs: Values;
  /** State as the engine knows it; empty when it is being imported. */
  readonly state: Values;
}

export interface ReadResult extends Made {
  /** Arguments that would lead to this state. */
  readonly inputs: Values;
}

export interface UpdateRequest extends DiffRequest {
  readonly preview: boolean;
}

export interface DeleteRequest extends Subject {
  readonly id: string;
  readonly state: Values;
}
