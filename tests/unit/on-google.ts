import * as pulumi from "@pulumi/pulumi";
import { vi } from "vitest";
import type { TestCloud } from "../../packages/local-cloud/google/testing.ts";
import type { Values } from "../../packages/local-cloud/plugin/values.ts";
import { mockEngine, type Made } from "./mocks.ts";

/** A resource that the emulated Google created for the program. */
export interface OnGoogle extends Made {
  type: string;
  name: string;
  inputs: Values;
  state: Values;
}

/** What a run of the program led to at the emulated Google. */
export interface Run {
  /** In the order in which they were ready. */
  made: OnGoogle[];
  /** Messages of refused resources. What depends on these is never asked for. */
  refused: string[];
}

/** Longest time for a run in ms. */
const TIMEOUT = 20_000;

/**
 * Runs the whole program in this process: resources of Google go to the emulated Google, in the order of their
 * dependencies; others are mocks. Not proved by it: what only the engine does (replacements, `ignoreChanges`, states).
 * The test has to mock `components/operator-crds.ts`, and `grafana.access` has to be `direct`.
 */
export async function runOnGoogle(
  { provider }: TestCloud,
  stack: string,
  config: Record<string, string>,
): Promise<Run> {
  vi.resetModules();
  const run: Run = { made: [], refused: [] };
  let pending = 0;
  const create = async ({ type, name, inputs }: pulumi.runtime.MockResourceArgs): Promise<OnGoogle> => {
    const subject = { type, name };
    const given = inputs as Values;
    const checked = provider.check({ ...subject, before: undefined, inputs: given, seed: new Uint8Array() });
    if (checked.failures.length > 0) throw new Error(checked.failures.map(({ reason }) => reason).join("\n"));
    const made = await provider.create({ ...subject, inputs: checked.inputs, preview: false });
    return { ...subject, inputs: checked.inputs, ...made };
  };
  const serve = (resource: pulumi.runtime.MockResourceArgs): Promise<Made> | undefined => {
    if (!resource.type.startsWith("gcp:")) return undefined;
    pending += 1;
    const creating = create(resource).finally(() => (pending -= 1));
    return creating.then(
      (made) => {
        run.made.push(made);
        return made;
      },
      (error: unknown) => {
        run.refused.push(`${resource.name}: ${(error as Error).message}`);
        return new Promise<Made>(() => undefined);
      },
    );
  };
  const call = ({ token, inputs }: pulumi.runtime.MockCallArgs) =>
    provider.invoke(token, inputs as Values).catch((error: unknown) => {
      // The SDK takes the message from gRPC's field.
      throw Object.assign(error as Error, { details: (error as Error).message });
    });
  const recorded = await mockEngine(stack, false, serve, call);
  pulumi.runtime.setAllConfig(config);
  await import("../../index.ts");
  // The nodes are the last of Google's; while the program waits for an API, nothing is pending.
  const isThrough = () => run.refused.length > 0 || run.made.some(({ name }) => name === "cluster-nodes");
  await settle(() => (pending === 0 && isThrough() ? recorded.length : -1));
  return run;
}

/** Deletes what a run created, in the opposite order, as `pulumi destroy` does. */
export async function destroyOnGoogle({ provider }: TestCloud, { made }: Run): Promise<void> {
  for (const { type, name, id, state } of made.toReversed()) await provider.delete({ type, name, id, state });
}

/** What a preview right after the run shows as differences, as `NAME: PATH`. */
export function differencesOnGoogle({ provider }: TestCloud, { made }: Run): string[] {
  return made.flatMap(({ type, name, id, inputs, state }) =>
    provider
      .diff({ type, name, id, state, before: inputs, inputs })
      .changes.map((change) => `${name}: ${change.path}`),
  );
}

/** Waits until a count is 0 or more, and stays the same for 100 ms. */
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
