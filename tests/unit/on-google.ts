import * as pulumi from "@pulumi/pulumi";
import { vi } from "vitest";
import type { TestCloud, Values } from "k8sfv-local-cloud/testing";
import { mockEngine, type Made } from "./mocks.ts";

/** A resource that was created in the emulated Google Cloud. */
export interface OnGoogle extends Made {
  type: string;
  name: string;
  inputs: Values;
  state: Values;
}

/** Result of a run of the program with the emulated Google Cloud. */
export interface Run {
  /** Created resources in the order of their completion. */
  created: OnGoogle[];
  /** Error messages of rejected resources. Resources that depend on them are never registered. */
  refused: string[];
}

/** Timeout of a run in ms. */
const TIMEOUT = 20_000;

/**
 * Runs the whole program in this process. The emulated Google Cloud creates Google's resources in the order
 * of their dependencies; all others are mocked. Does not prove what only the engine does: replacements,
 * `ignoreChanges` and states. The test must mock `components/operator-crds.ts`, and `grafana.access` must be
 * `direct`.
 */
export async function runOnGoogle(
  { provider }: TestCloud,
  stack: string,
  config: Record<string, string>,
): Promise<Run> {
  vi.resetModules();
  const run: Run = { created: [], refused: [] };
  let pending = 0;
  const create = async ({ type, name, inputs }: pulumi.runtime.MockResourceArgs): Promise<OnGoogle> => {
    const subject = { type, name };
    const values = inputs as Values;
    const checked = provider.check({ ...subject, before: undefined, inputs: values, seed: new Uint8Array() });
    if (checked.failures.length > 0) throw new Error(checked.failures.map(({ reason }) => reason).join("\n"));
    const created = await provider.create({ ...subject, inputs: checked.inputs, preview: false });
    return { ...subject, inputs: checked.inputs, ...created };
  };
  const serve = (resource: pulumi.runtime.MockResourceArgs): Promise<Made> | undefined => {
    if (!resource.type.startsWith("gcp:")) return undefined;
    pending += 1;
    const creating = create(resource).finally(() => (pending -= 1));
    return creating.then(
      (created) => {
        run.created.push(created);
        return created;
      },
      (error: unknown) => {
        run.refused.push(`${resource.name}: ${(error as Error).message}`);
        return new Promise<Made>(() => undefined);
      },
    );
  };
  const call = ({ token, inputs }: pulumi.runtime.MockCallArgs) =>
    provider.invoke(token, inputs as Values).catch((error: unknown) => {
      // The SDK takes the error message from the field `details` of a gRPC error.
      throw Object.assign(error as Error, { details: (error as Error).message });
    });
  const recorded = await mockEngine(stack, false, serve, call);
  pulumi.runtime.setAllConfig(config);
  await import("../../index.ts");
  // Waits until a resource was rejected, or the last Google resource, the node pool, was created. Waiting until no
  // creation is pending would not suffice: none is pending while the program waits for an API that it has enabled.
  const isThrough = () => run.refused.length > 0 || run.created.some(({ name }) => name === "cluster-nodes");
  await settle(() => (pending === 0 && isThrough() ? recorded.length : -1));
  return run;
}

/** Deletes a run's resources in reverse order, like `pulumi destroy`. */
export async function destroyOnGoogle({ provider }: TestCloud, { created }: Run): Promise<void> {
  for (const { type, name, id, state } of created.toReversed())
    await provider.delete({ type, name, id, state });
}

/** Returns the changes that a preview with the run's inputs would show for its resources, each as `NAME: PATH`. */
export function differencesOnGoogle({ provider }: TestCloud, { created }: Run): string[] {
  return created.flatMap(({ type, name, id, inputs, state }) =>
    provider
      .diff({ type, name, id, state, before: inputs, inputs })
      .changes.map((change) => `${name}: ${change.path}`),
  );
}

/** Waits until a count has not changed for 100 ms. `count` returns -1 while it is too early to start waiting. */
async function settle(count: () => number): Promise<void> {
  let same = 0;
  for (let waited = 0, seen = -1; same < 20; waited += 5) {
    if (waited > TIMEOUT) throw new Error(`The program has not settled within ${TIMEOUT} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const now = count();
    same = now >= 0 && now === seen ? same + 1 : 0;
    seen = now;
  }
}
