import { UnknownValueError } from "@pulumi/policy";
import type {
  PolicyResource,
  ReportViolation,
  ResourceValidation,
  ResourceValidationArgs,
} from "@pulumi/policy";

/** Returns the violations of a resource, each with the problem and the solution as sentences. */
export type Check<Inputs> = (inputs: Inputs, resource: ResourceValidationArgs) => string[];

/** A check with its resource types. */
export interface TypedCheck {
  /** Returns whether the check applies to a type token, such as "gcp:compute/disk:Disk". */
  readonly applies: (type: string) => boolean;
  readonly check: Check<never>;
}

/**
 * Returns a check of one resource type, given as a type token. Pulumi's helper validateResourceOfType takes a class
 * instead, but loading the classes takes longer than all checks.
 */
export function on<Inputs>(token: string, check: Check<Inputs>): TypedCheck {
  return onAny((type) => type === token, check);
}

/** Returns a check of the resources for whose type token `applies` returns true. */
export function onAny<Inputs>(applies: (type: string) => boolean, check: Check<Inputs>): TypedCheck {
  return { applies, check };
}

/** Combines checks into one validation function for Pulumi's policy library. */
export function validate(...checks: TypedCheck[]): ResourceValidation {
  return (resource: ResourceValidationArgs, report: ReportViolation) => {
    for (const { applies, check } of checks) {
      if (!applies(resource.type)) continue;
      for (const problem of check(resource.props as never, resource)) report(problem);
    }
  };
}

/** Returns the stack's resources of a type. */
export function ofType(resources: PolicyResource[], token: string): PolicyResource[] {
  return resources.filter(({ type }) => type === token);
}

/**
 * Returns the result of `read`, or undefined if `read` reads a value that a preview doesn't know yet. Without this
 * function, the policy library would skip the whole rule for the resource, with a warning, until `pulumi up`.
 */
export function ifKnown<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnknownValueError) return undefined;
    throw error;
  }
}
