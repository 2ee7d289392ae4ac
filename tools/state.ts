/** Runs `pulumi` on a stack and returns its standard output. */
export type Pulumi = (args: string[]) => Promise<string>;

/** A resource in the state, with the fields that the tools use. */
export interface State {
  urn: string;
  type: string;
  custom?: boolean;
  id?: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  provider?: string;
  parent?: string;
  dependencies?: string[];
  propertyDependencies?: Record<string, string[]>;
  deletedWith?: string;
}

/** Output of `pulumi stack export`, with the fields that the tools use. */
export interface Export {
  deployment: { resources?: State[]; pending_operations?: unknown[] };
}

/** Returns the state without these resources, and removes them from the dependencies of the other resources. */
export function removeResources(state: Export, urns: string[]): Export {
  const isKept = (urn: string): boolean => !urns.includes(urn);
  const resources = (state.deployment.resources ?? [])
    .filter(({ urn }) => isKept(urn))
    .map((resource) => ({
      ...resource,
      ...(resource.dependencies === undefined ? {} : { dependencies: resource.dependencies.filter(isKept) }),
      ...(resource.propertyDependencies === undefined
        ? {}
        : { propertyDependencies: keepAll(resource.propertyDependencies, isKept) }),
    }));
  return { ...state, deployment: { ...state.deployment, resources } };
}

function keepAll(all: Record<string, string[]>, isKept: (urn: string) => boolean): Record<string, string[]> {
  return Object.fromEntries(Object.entries(all).map(([key, urns]) => [key, urns.filter(isKept)]));
}

/**
 * Returns the IDs of the Google resources in the project's other stacks, by stack name. Reads the stacks of the same
 * backend.
 *
 * @param pulumi runs `pulumi` without adding the option `--stack`
 * @param stack the stack to leave out
 */
export async function otherStates(pulumi: Pulumi, stack: string): Promise<Record<string, string[]>> {
  const stacks = JSON.parse(await pulumi(["stack", "ls", "--json"])) as { name: string }[];
  const others = stacks.map(({ name }) => name).filter((name) => name !== stack);
  const entries = others.map(async (name) => {
    const { deployment } = JSON.parse(await pulumi(["stack", "export", "--stack", name])) as Partial<Export>;
    const ids = (deployment?.resources ?? []).flatMap(({ type, id }) =>
      type.startsWith("gcp:") && id !== undefined ? [id] : [],
    );
    return [name, ids] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}
