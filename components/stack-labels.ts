/** The label that says which stack a resource of Google belongs to; `npm run recover` imports by it. */
export const STACK_LABEL = "pulumi-stack";

/** Labels of every resource of Google that can have any. */
export type StackLabels = Record<string, string>;

/**
 * Labels of a stack's resources (cloud.google.com/compute/docs/labeling-resources).
 *
 * @param stack - the stack's name, which has to be one that a label's value may be
 */
export function stackLabels(stack: string): StackLabels {
  return { "part-of": "k8sfv-metrics", [STACK_LABEL]: stack };
}
