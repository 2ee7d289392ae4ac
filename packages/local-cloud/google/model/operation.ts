export type Operation = "create" | "read" | "update" | "delete";

/** A resource and the operation on it. */
export interface OperationContext {
  /** Short type, e.g. `compute.Subnetwork`. */
  readonly type: string;
  readonly operation: Operation;
  /** The resource's name in the Pulumi program. */
  readonly name: string;
  /** Path in the API, for error messages. */
  readonly path: string;
  readonly project: string;
}
