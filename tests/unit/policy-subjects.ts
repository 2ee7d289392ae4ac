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

/** A value that a preview doesn't know yet, as the engine sends it. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Makes a rule that reads what isn't known fail, as the library does; its types leave this function out. */
const guarded = unknownCheckingProxy as (props: Props) => Props;

/** What the library hands to a rule about one resource; `stack` is in its URN. */
export function resource(type: string, props: Props, protect = false, stack = "calico-test") {
  return {
    type,
    name: "it",
    urn: `urn:pulumi:${stack}::k8sfv-metrics::${type}::it`,
    props: guarded(props),
    opts: { protect },
  };
}

/** What a rule about single resources says of one. */
export async function problems(
  policy: ResourceValidationPolicy,
  about: ReturnType<typeof resource>,
  config: Props = {},
): Promise<string[]> {
  const said: string[] = [];
  const notApplicable = (reason: string): never => {
    throw new Error(`not applicable: ${reason}`);
  };
  const args = { ...about, getConfig: () => config, notApplicable } as unknown as ResourceValidationArgs;
  const validations = [policy.validateResource ?? []].flat();
  expect(validations).not.toEqual([]);
  for (const validation of validations) await validation(args, (message) => said.push(message));
  return said;
}

/** What a rule about a whole stack says, after the name of the resource that it says it of. */
export async function stackProblems(
  policy: StackValidationPolicy,
  resources: PolicyResource[],
): Promise<string[]> {
  const said: string[] = [];
  await policy.validateStack({ resources } as unknown as StackValidationArgs, (message, urn) => {
    said.push(`${resources.find((one) => one.urn === urn)?.name ?? "?"}: ${message}`);
  });
  return said;
}

/** A resource in a stack; `from` says which resources a property depends on. */
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
