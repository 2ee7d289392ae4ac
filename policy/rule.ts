import { UnknownValueError } from "@pulumi/policy";
import type {
  PolicyResource,
  ReportViolation,
  ResourceValidation,
  ResourceValidationArgs,
} from "@pulumi/policy";

/** What is wrong with one resource and what to do, a sentence each; empty when the rule is kept. */
export type Check<Inputs> = (inputs: Inputs, resource: ResourceValidationArgs) => string[];

/** A check and the types it is for. */
export interface TypedCheck {
  /** Says whether a type token, like "gcp:compute/disk:Disk", is one of them. */
  readonly applies: (type: string) => boolean;
  readonly check: Check<never>;
}

/**
 * A check of one type of resource. The type goes by its token and not by its class, as the library would
 * have it: loading the classes would take longer than all of the checks.
 */
export function on<Inputs>(token: string, check: Check<Inputs>): TypedCheck {
  return onAny((type) => type === token, check);
}

/** A check of every type that `applies` takes. */
export function onAny<Inputs>(applies: (type: string) => boolean, check: Check<Inputs>): TypedCheck {
  return { applies, check };
}

/** The checks together, as the library wants them. */
export function validate(...checks: TypedCheck[]): ResourceValidation {
  return (resource: ResourceValidationArgs, report: ReportViolation) => {
    for (const { applies, check } of checks) {
      if (!applies(resource.type)) continue;
      for (const problem of check(resource.props as never, resource)) report(problem);
    }
  };
}

/** The resources of one type in the stack. */
export function ofType(resources: PolicyResource[], token: string): PolicyResource[] {
  return resources.filter(({ type }) => type === token);
}

/**
 * What `read` gives, or undefined when a preview can't know it yet. Where it isn't used, such a value makes
 * the library skip the rule for this resource with a warning, and check it in the `up` that follows.
 */
export function ifKnown<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnknownValueError) return undefined;
    throw error;
  }
}
