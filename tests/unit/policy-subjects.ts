import { unknownCheckingProxy } from "@pulumi/policy";
import type {
  PolicyResource,
  ResourceValidationArgs,
  ResourceValidationPolicy,
  StackValidationArgs,
  StackValidationPolicy,
} from "@pulumi/policy";
import { expect } from "vitest";

export type Props = Record<string, unknown>;

/** The engine's placeholder for values that a preview doesn't know yet. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/**
 * Returns properties that throw an error when an unknown value is read, like those that the policy library
 * passes to a rule. The function is missing in the library's types.
 */
const guarded = unknownCheckingProxy as (props: Props) => Props;

/**
 * Returns the arguments that the policy library passes to a rule for one resource. `stack` is the stack's name in the
 * resource's URN.
 */
export function resource(type: string, props: Props, protect = false, stack = "calico-test") {
  return {
    type,
    name: "it",
    urn: `urn:pulumi:${stack}::k8sfv-metrics::${type}::it`,
    props: guarded(props),
    opts: { protect },
  };
}

/** Returns the violations that a rule for single resources reports. @throws Error if the rule does not apply */
export async function problems(
  policy: ResourceValidationPolicy,
  about: ReturnType<typeof resource>,
  config: Props = {},
): Promise<string[]> {
  const messages: string[] = [];
  const notApplicable = (reason: string): never => {
    throw new Error(`not applicable: ${reason}`);
  };
  const args = { ...about, getConfig: () => config, notApplicable } as unknown as ResourceValidationArgs;
  const validations = [policy.validateResource ?? []].flat();
  expect(validations).not.toEqual([]);
  for (const validation of validations) await validation(args, (message) => messages.push(message));
  return messages;
}

/** Returns the violations that a rule for a whole stack reports, as "NAME: MESSAGE". */
export async function stackProblems(
  policy: StackValidationPolicy,
  resources: PolicyResource[],
): Promise<string[]> {
  const messages: string[] = [];
  await policy.validateStack({ resources } as unknown as StackValidationArgs, (message, urn) => {
    messages.push(`${resources.find((one) => one.urn === urn)?.name ?? "?"}: ${message}`);
  });
  return messages;
}

/**
 * Returns a resource to check with a StackValidationPolicy. `from` lists, by property, the resources that the property
 * depends on.
 */
export function inStack(
  type: string,
  name: string,
  props: Props,
  from: Record<string, PolicyResource[]> = {},
): PolicyResource {
  const about = resource(type, props);
  const urn = about.urn.replace("::it", `::${name}`);
  return { ...about, name, urn, propertyDependencies: from } as unknown as PolicyResource;
}
