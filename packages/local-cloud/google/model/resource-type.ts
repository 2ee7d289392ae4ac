import type { Failure } from "../../plugin/plugin.ts";
import type { Values } from "../../plugin/values.ts";
import type { ApiName } from "./apis.ts";
import type { OperationContext } from "./operation.ts";
import type { Infrastructure } from "./infrastructure.ts";
import type { Place, Scope } from "./place.ts";
import type { Effects } from "../../plugin/schema/differences.ts";
import type { Checks } from "../../plugin/schema/validate.ts";
import type { Data, Resource } from "./store.ts";

/** Infrastructure, limits and directories that the resource types use. */
export interface Backend {
  readonly machines: Infrastructure;
  /** Maximum number of resources by type token. Types without an entry are unlimited. */
  readonly limits: Readonly<Record<string, number>>;
  /** Directory of the compute disks, one subdirectory per zone and disk. */
  readonly disksDir: string;
  /** Directory of the snapshots, one subdirectory each. */
  readonly snapshotsDir: string;
}

/** A request to create or update a resource. */
export interface Request {
  readonly path: string;
  readonly inputs: Values;
  readonly place: Place;
  /** All resources. Read-only. */
  readonly data: Data;
  /** The resource before an update; undefined for a creation. */
  readonly previous?: Resource;
}

/** Result of {@link ResourceType.admit} for a valid request. */
export interface Admitted {
  /** Outputs in addition to arguments and location. */
  readonly outputs: Values;
  /** Data that only the emulation needs. */
  readonly inner?: Values;
  /** Other resources that Google creates together with this one, by path. Existing ones are kept. */
  readonly beside?: Readonly<Record<string, Resource>>;
}

/** A resource type of the emulated API. */
export interface ResourceType {
  /** Pulumi type token, e.g. `gcp:compute/network:Network`. */
  readonly token: string;
  /** The real provider's name of the type in messages, e.g. `Subnetwork`. */
  readonly title: string;
  /** Google's name of the type in messages, e.g. `network` in `The network resource '…' is already being used`. */
  readonly kind: string;
  readonly scope: Scope;
  /** API of the type, which must be enabled. */
  readonly api: ApiName;
  /** Checks of single arguments in addition to the provider's schema (`schema/`). */
  readonly checks?: Checks;
  /** Arguments for which the old and new values decide whether a change updates or replaces the resource. */
  readonly effects?: Effects;
  /**
   * Returns the values that Google sets instead of those in the arguments. The provider reads them back, so each
   * preview shows a difference for an argument with another value.
   */
  forced?(inputs: Values): Values;
  /**
   * Returns the path for an import ID. Needed by types whose import IDs are not their paths.
   *
   * @throws Error with the real importer's message when the ID has another form
   */
  importPath?(id: string): string;
  /** Validates combinations of arguments, which may contain unknown values. */
  validate?(inputs: Values): Failure[];
  /** Returns the path in the API, which is also Pulumi's ID. */
  path(inputs: Values, place: Place): string;
  /** Returns paths of resources that must exist, and that can't be deleted while this resource exists. */
  uses?(inputs: Values, place: Place): string[];
  /** Returns paths of resources that must exist at the creation of this resource and may be deleted later. */
  needs?(inputs: Values, place: Place): string[];
  /** Returns the path of the parent, which must exist and whose deletion deletes this resource. */
  parent?(inputs: Values, place: Place): string;
  /**
   * Validates a request as Google does, and returns computed outputs. Must be fast because it blocks all other changes.
   *
   * @throws ApiError
   */
  admit(request: Request): Admitted;
  /**
   * Applies the arguments to the infrastructure, e.g. starts hosts. Must be idempotent, for a retry after a
   * crash.
   *
   * @returns additional outputs
   */
  work?(backend: Backend, resource: Resource): Promise<Values>;
  /** Returns outputs that depend on other resources. Computed for each read and never stored. */
  observe?(path: string, resource: Resource, data: Data): Values;
  /**
   * Returns the value of the output `users`: paths of the users of this resource that are not emulated resources
   * themselves, e.g. the nodes that use a disk.
   */
  users?(backend: Backend, path: string, resource: Resource): Promise<string[]>;
  /**
   * Returns the paths of resources that use this one and block its deletion but are not emulated, e.g. forwarding
   * rules.
   */
  deletionBlockers?(backend: Backend, path: string, resource: Resource): Promise<string[]>;
  /** Returns, by path, the resources that Google creates just before it deletes this resource. */
  createsOnDelete?(backend: Backend, resource: Resource): Promise<Record<string, Resource>>;
  /** Reports whether creating an existing resource imports it instead of failing. */
  importsExisting?(inputs: Values): boolean;
  /** Reports whether a deletion leaves the resource unchanged at Google. */
  keepsOnDelete?(resource: Resource): boolean;
  /** Checks that the resource can be deleted, given all resources in `data`. @throws Error */
  validateDeletion?(resource: Resource, data: Data): void;
  /**
   * Behavior of the real provider when a creation times out. `lost` (default): an error, and the resource is not in the
   * state. `kept`: an error, and the resource is in the state. `found`: no error, because the provider finds the
   * created resource.
   */
  readonly afterTimeout?: "lost" | "kept" | "found";
  /**
   * Returns the prefix that the real provider adds to an error message.
   *
   * @default "Error", the operation and the {@link title}, e.g. "Error creating Router"; an update also has the quoted
   * path
   */
  errorPrefix?(context: OperationContext, inputs: Values): string;
  /** Reverts {@link work}. Must be idempotent. `data` contains all resources, including this one. */
  remove?(backend: Backend, resource: Resource, data: Data): Promise<void>;
}

/** Returns outputs that all compute resources have. Updates don't change them. */
export function stamped(previous: Resource | undefined, link: string): Values {
  return {
    creationTimestamp: previous?.outputs["creationTimestamp"] ?? new Date().toISOString(),
    selfLink: link,
  };
}

/**
 * Returns the outputs about labels. `pulumiLabels` and `effectiveLabels` equal the labels in the arguments, because the
 * emulated provider adds no labels.
 */
export function labelled(inputs: Values, argument = "labels"): Values {
  const labels = inputs[argument] ?? {};
  return { pulumiLabels: labels, effectiveLabels: labels, labelFingerprint: "42WmSpB8rSM=" };
}
