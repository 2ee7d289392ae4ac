import { STACK_LABEL } from "../components/stack-labels.ts";
import type { State } from "./state.ts";

/** Google resource types with labels, on which this project sets its own labels. */
const LABELLED = [
  "gcp:compute/address:Address",
  "gcp:compute/disk:Disk",
  "gcp:compute/globalAddress:GlobalAddress",
  "gcp:compute/securityPolicy:SecurityPolicy",
  "gcp:container/cluster:Cluster",
];

/** A resource at Google that was not imported. */
export interface SkippedResource {
  urn: string;
  id: string;
  /** Reason why the resource may belong to another stack, e.g. "it carries the label pulumi-stack=staging". */
  why: string;
}

/**
 * Returns the resources that may belong to another stack:
 *
 * - a resource without this stack's label, if its type has labels
 * - a resource in another stack's state
 * - a resource of a type without labels, if it depends on such a resource or is used by one
 *
 * @param found existing resources with this stack's names, as read from Google, with secrets in plain text
 * because the SDK treats labels as secrets
 * @param stack this stack's name
 * @param others IDs of the resources in other stacks' states, by stack
 */
export function findForeign(
  found: State[],
  stack: string,
  others: Record<string, string[]>,
): SkippedResource[] {
  const skipped = new Map<string, SkippedResource>();
  const skip = (resource: State, why: string): void => {
    skipped.set(resource.urn, { urn: resource.urn, id: resource.id ?? "", why });
  };
  const google = found.filter(({ type, custom }) => custom === true && type.startsWith("gcp:"));
  for (const resource of google) {
    const why = foreignLabel(resource, stack) ?? foreignState(resource, others);
    if (why !== undefined) skip(resource, why);
  }
  // A resource of a type without labels is skipped if it is related to a skipped resource. A resource with this stack's
  // label belongs to this stack, even if it depends on a skipped resource.
  const rest = google.filter(({ urn, type }) => !LABELLED.includes(type) && !skipped.has(urn));
  for (let count = -1; count !== skipped.size;) {
    count = skipped.size;
    for (const resource of rest.filter(({ urn }) => !skipped.has(urn))) {
      const why = google
        .filter(({ urn }) => skipped.has(urn))
        .map((other) => relation(resource, other))
        .find((one) => one !== undefined);
      if (why !== undefined) skip(resource, why);
    }
  }
  return [...skipped.values()];
}

/** Returns a resource's name in the program. */
export function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? urn;
}

function foreignLabel({ type, outputs = {} }: State, stack: string): string | undefined {
  if (!LABELLED.includes(type)) return undefined;
  // effectiveLabels contains all labels. After an import, "labels" is empty: it contains only labels that the program
  // has set.
  const labels = revealed(outputs.effectiveLabels) as Record<string, unknown> | undefined;
  const value = labels?.[STACK_LABEL];
  if (value === stack) return undefined;
  if (typeof value === "string") return `it carries the label ${STACK_LABEL}=${value}`;
  return `it carries no label ${STACK_LABEL}; if it is this stack's, set the label to ${stack}`;
}

/** Returns the value of an output. `pulumi stack export --show-secrets` wraps a secret in an object with its JSON. */
function revealed(value: unknown): unknown {
  const { plaintext } = (value ?? {}) as { plaintext?: unknown };
  return typeof plaintext === "string" ? (JSON.parse(plaintext) as unknown) : value;
}

function foreignState({ id = "" }: State, others: Record<string, string[]>): string | undefined {
  const owner = Object.entries(others).find(([, ids]) => ids.includes(id))?.[0];
  return owner === undefined ? undefined : `it is in the state of the stack ${owner}`;
}

/** Returns how an unlabelled resource is related to one that may belong to another stack, or undefined. */
function relation(resource: State, other: State): string | undefined {
  if ((resource.dependencies ?? []).includes(other.urn)) return `it belongs to ${nameOf(other.urn)}`;
  const references = [resource.id, resource.outputs?.email].filter(
    (one): one is string => typeof one === "string" && one !== "",
  );
  const isUsed = strings(other.outputs).some((value) =>
    references.some((reference) => value === reference || value.endsWith(`/${reference}`)),
  );
  return isUsed ? `${nameOf(other.urn)} uses it` : undefined;
}

function strings(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(strings);
}
