import { STACK_LABEL } from "../components/stack-labels.ts";
import type { State } from "./state.ts";

/** Types at Google that can have labels, and get this project's. */
const LABELLED = [
  "gcp:compute/address:Address",
  "gcp:compute/disk:Disk",
  "gcp:compute/globalAddress:GlobalAddress",
  "gcp:compute/securityPolicy:SecurityPolicy",
  "gcp:container/cluster:Cluster",
];

/** A resource that is at Google and is not imported. */
export interface Left {
  urn: string;
  id: string;
  /** Why it may be another stack's, e.g. "it carries the label pulumi-stack=staging". */
  why: string;
}

/**
 * The resources among `found` that may be another stack's: those that can carry labels and don't carry this stack's;
 * those that another stack's state has; and of the rest, those that belong to or are used by one of the former.
 *
 * @param found - resources under the names that this stack would give them, as Google describes them, with secrets in
 *   plain text: the SDK takes labels for secrets
 * @param stack - this stack's name
 * @param others - ids of the resources in the states of other stacks, by stack
 */
export function notOwn(found: State[], stack: string, others: Record<string, string[]>): Left[] {
  const left = new Map<string, Left>();
  const leave = (resource: State, why: string): void => {
    left.set(resource.urn, { urn: resource.urn, id: resource.id ?? "", why });
  };
  const google = found.filter(({ type, custom }) => custom === true && type.startsWith("gcp:"));
  for (const resource of google) {
    const why = foreignLabel(resource, stack) ?? foreignState(resource, others);
    if (why !== undefined) leave(resource, why);
  }
  // What carries this stack's label is this stack's, whatever it refers to.
  const rest = google.filter(({ urn, type }) => !LABELLED.includes(type) && !left.has(urn));
  for (let count = -1; count !== left.size;) {
    count = left.size;
    for (const resource of rest.filter(({ urn }) => !left.has(urn))) {
      const why = google
        .filter(({ urn }) => left.has(urn))
        .map((other) => tie(resource, other))
        .find((one) => one !== undefined);
      if (why !== undefined) leave(resource, why);
    }
  }
  return [...left.values()];
}

/** Names of a resource, for people: the one in the program. */
export function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? urn;
}

function foreignLabel({ type, outputs = {} }: State, stack: string): string | undefined {
  if (!LABELLED.includes(type)) return undefined;
  // The other labels of an imported resource are those of the program alone, that is none.
  const labels = revealed(outputs.effectiveLabels) as Record<string, unknown> | undefined;
  const value = labels?.[STACK_LABEL];
  if (value === stack) return undefined;
  if (typeof value === "string") return `it carries the label ${STACK_LABEL}=${value}`;
  return `it carries no label ${STACK_LABEL}; if it is this stack's, set the label to ${stack}`;
}

/** The value of an output; `pulumi stack export --show-secrets` prints a secret as an object with its JSON. */
function revealed(value: unknown): unknown {
  const { plaintext } = (value ?? {}) as { plaintext?: unknown };
  return typeof plaintext === "string" ? (JSON.parse(plaintext) as unknown) : value;
}

function foreignState({ id = "" }: State, others: Record<string, string[]>): string | undefined {
  const owner = Object.entries(others).find(([, ids]) => ids.includes(id))?.[0];
  return owner === undefined ? undefined : `it is in the state of the stack ${owner}`;
}

/** Why a resource without labels goes with one that may be another stack's; undefined when nothing ties them. */
function tie(resource: State, other: State): string | undefined {
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
