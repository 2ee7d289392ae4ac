/**
 * Label with the name of the stack that a Google Cloud resource belongs to. `npm run recover` imports a resource of a
 * type with labels only if this label names the stack.
 */
export const STACK_LABEL = "pulumi-stack";

/** Labels of all Google Cloud resources that support labels. */
export type StackLabels = Record<string, string>;

/**
 * Returns the labels of a stack's resources (cloud.google.com/compute/docs/labeling-resources).
 *
 * @param stack - name of the stack, a valid label value
 */
export function stackLabels(stack: string): StackLabels {
  return { "part-of": "k8sfv-metrics", [STACK_LABEL]: stack };
}
