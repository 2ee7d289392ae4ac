import type { Values } from "./values.ts";

/** A provider plugin of this project, independent of gRPC. Secrets are passed as plain values. */
export interface Plugin {
  /** Provider version that the provider's npm package, e.g. @pulumi/gcp, requires. */
  readonly version: string;
  /** Sets the provider's configuration, e.g. the project. Called once, before any resource operation. */
  configure(settings: Values): void;
  /** Adds defaults to a resource's arguments and validates them. */
  check(request: CheckRequest): CheckedInputs;
  /** Returns the differences, and whether they need a replacement. */
  diff(request: DiffRequest): Difference;
  create(request: CreateRequest): Promise<Made>;
  /** Returns the resource's current state, or undefined if it does not exist. */
  read(request: ReadRequest): Promise<ReadResult | undefined>;
  /** Updates the resource. @returns its state after the update */
  update(request: UpdateRequest): Promise<Values>;
  delete(request: DeleteRequest): Promise<void>;
  /** Runs a function. @throws Error for an unknown one */
  invoke(token: string, args: Values): Promise<Values>;
}

/**
 * Error of `create` for a resource that was created but is not as requested. The engine stores the resource in the
 * state, prints the error, and updates the resource in the next run.
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

/** The resource of a request. */
export interface Subject {
  /** Pulumi type token, e.g. `gcp:compute/network:Network`. */
  readonly type: string;
  /** Name in the program. */
  readonly name: string;
}

export interface CheckRequest extends Subject {
  /** Previous arguments; undefined for a new resource. */
  readonly before: Values | undefined;
  readonly inputs: Values;
  /** Random seed for generated names, the same in a preview and the following update. */
  readonly seed: Uint8Array;
}

export interface CheckedInputs {
  readonly inputs: Values;
  readonly failures: readonly Failure[];
}

/** An invalid argument. */
export interface Failure {
  /** Name of the invalid argument; empty if the failure concerns several arguments. */
  readonly property: string;
  readonly reason: string;
}

export interface DiffRequest extends Subject {
  readonly id: string;
  readonly state: Values;
  /** Previous arguments. */
  readonly before: Values;
  readonly inputs: Values;
}

/** A changed argument. */
export interface Change {
  /** Property path of the argument, e.g. `nodeConfig.labels.zone` or `allows[0].ports`. */
  readonly path: string;
  readonly kind: "add" | "delete" | "update";
  /** Whether the change needs a replacement. */
  readonly replace: boolean;
}

export interface Difference {
  readonly changes: readonly Change[];
  /** Whether the old resource must be deleted first, e.g. because both have the same name. */
  readonly deleteBeforeReplace: boolean;
}

export interface CreateRequest extends Subject {
  readonly inputs: Values;
  /** Whether to return the expected state only, without creating anything. */
  readonly preview: boolean;
}

export interface Made {
  /** ID; empty in a preview. */
  readonly id: string;
  readonly state: Values;
}

export interface ReadRequest extends Subject {
  readonly id: string;
  /** Arguments in the state; empty for an import. */
  readonly inputs: Values;
  /** The resource's properties in the stack's state; empty for an import. */
  readonly state: Values;
}

export interface ReadResult extends Made {
  /**
   * Arguments that the engine stores in the state: for an import those of the imported resource, otherwise those of the
   * request.
   */
  readonly inputs: Values;
}

export interface UpdateRequest extends DiffRequest {
  readonly preview: boolean;
}

export interface DeleteRequest extends Subject {
  readonly id: string;
  readonly state: Values;
}
