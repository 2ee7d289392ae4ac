import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { notOwn, type Left } from "./ownership.ts";
import { resourceId } from "./resource-ids.ts";
import { without, type Export, type Pulumi, type State } from "./state.ts";

export type { Pulumi } from "./state.ts";

interface Preview {
  steps?: { op: string; newState?: State }[];
}

/** What the engine writes for a value that isn't known yet. */
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** What was found at Google and in Grafana. */
export interface Found {
  /** URNs of the resources that are in the state now. */
  imported: string[];
  /** Resources that may be another stack's, and are not imported. */
  left: Left[];
}

/**
 * Imports what is at Google or in Grafana without the state knowing it: a run was killed between the
 * answer and the writing of the state, the answer never came, or Grafana came back with its disk after all
 * else was destroyed. Their APIs have no way to ask twice for the same thing, so the next run would be
 * refused ("already exists").
 *
 * It looks for what the program would make, under the very names it would make it with, so nothing is
 * imported that isn't in the program. Each is put into the state by its id, and the engine asks
 * for it: what isn't there is taken out again, and so is what may be another stack's (ownership.ts). When asking fails,
 * the state is put back as it was.
 *
 * @param pulumi - the engine, on the stack that is to be put right
 * @param others - ids of the resources in the states of other stacks, by stack
 * @throws Error of the engine's, e.g. when another run holds the state, or Google refuses to be asked
 */
export async function adopt(pulumi: Pulumi, others: Record<string, string[]> = {}): Promise<Found> {
  const exported = JSON.parse(await pulumi(["stack", "export"])) as Export;
  const known = exported.deployment.resources ?? [];
  const preview = JSON.parse(await pulumi(["preview", "--json"]).catch(whatItPrinted)) as Preview;
  const candidates = mayBeThere(preview.steps ?? [], known);
  const pending = exported.deployment.pending_operations ?? [];
  if (candidates.length === 0 && pending.length === 0) return { imported: [], left: [] };

  // What was pending is either found now, or was never made.
  const deployment = {
    ...exported.deployment,
    resources: [...known, ...candidates],
    pending_operations: [],
  };
  await importState(pulumi, { ...exported, deployment }).catch(async (error: unknown) => {
    // A state that is locked has not been changed.
    if (lockOf(error) === undefined) await putBack(pulumi, exported);
    throw error;
  });
  if (candidates.length === 0) return { imported: [], left: [] };
  try {
    return await lookFor(pulumi, candidates, others);
  } catch (error) {
    await putBack(pulumi, exported);
    throw error;
  }
}

/** Imports the state as it was. @throws Error with the cure, if that fails too */
async function putBack(pulumi: Pulumi, exported: Export): Promise<void> {
  await importState(pulumi, exported).catch((cause: unknown) => {
    const cure = "pulumi refresh takes out of it what doesn't exist";
    throw new Error(`The state could not be put back as it was; ${cure}`, { cause });
  });
}

/** Returns who holds the lock on the state, in the engine's words, if an error is about a lock. */
export function lockOf(error: unknown): string | undefined {
  const { stderr } = error as { stderr?: unknown };
  const text = typeof stderr === "string" ? stderr : String(error);
  // A state in a bucket or folder, and one that Pulumi Cloud keeps.
  const [, file, service] =
    /locked by \d+ lock\(s\).*\n\s*(.+)|(Another update is currently in progress)/.exec(text) ?? [];
  return (file ?? service)?.trim();
}

/** Has the engine look for the candidates, now in its state, and takes out of it those that may be another stack's. */
async function lookFor(
  pulumi: Pulumi,
  candidates: State[],
  others: Record<string, string[]>,
): Promise<Found> {
  const targets = candidates.flatMap(({ urn }) => ["--target", urn]);
  // The way to Grafana is the program's: it has to run meanwhile.
  const way = candidates.some(({ type }) => type.startsWith("grafana:")) ? ["--run-program"] : [];
  await pulumi(["refresh", "--yes", "--skip-preview", ...way, ...targets]);
  const after = JSON.parse(await pulumi(["stack", "export"])) as Export;
  // To look at only; what is imported again stays encrypted.
  const revealed = JSON.parse(await pulumi(["stack", "export", "--show-secrets"])) as Export;
  const sought = new Set(candidates.filter(({ custom }) => custom === true).map(({ urn }) => urn));
  const there = (revealed.deployment.resources ?? []).filter(({ urn }) => sought.has(urn));
  const left = notOwn(there, stackOf(there[0]?.urn ?? ""), others);
  const urns = left.map(({ urn }) => urn);
  if (left.length > 0) await importState(pulumi, without(after, urns));
  return { imported: there.map(({ urn }) => urn).filter((urn) => !urns.includes(urn)), left };
}

/** The stack's name in "urn:pulumi:STACK::PROJECT::TYPE::NAME". */
function stackOf(urn: string): string {
  return urn.split("::")[0]?.split(":").at(-1) ?? "";
}

/** Of what would be made, what may have been made already; in the order of the plan, components with their children. */
function mayBeThere(steps: NonNullable<Preview["steps"]>, known: State[]): State[] {
  const found: State[] = [];
  for (const { op, newState } of steps) {
    if (op !== "create" || newState === undefined) continue;
    // What depends on one that may be there may be there too.
    if (newState.custom === true) found.push(...asMade(newState, [...known, ...found]));
    else found.push(newState);
  }
  const isParent = (urn: string): boolean =>
    found.some((child) => child.parent === urn && (child.custom === true || isParent(child.urn)));
  return found.filter(({ urn, custom }) => custom === true || isParent(urn));
}

/** A preview that fails, for a cluster that isn't whole for instance, has told all the same what it planned. */
function whatItPrinted(error: unknown): string {
  const { stdout } = error as { stdout?: unknown };
  if (typeof stdout === "string" && stdout.trimStart().startsWith("{")) return stdout;
  throw error;
}

/** The resource as the state would hold it had it been made; nothing when it can't have been. */
function asMade(planned: State, known: State[]): State[] {
  const provider = known.find(({ urn, id }) => `${urn}::${id ?? ""}` === planned.provider);
  if (provider === undefined) return [];
  const urns = new Set(known.map(({ urn }) => urn));
  const { parent, dependencies = [], inputs = {} } = planned;
  // What Grafana has on its disk can be there before what it needs is made again. Of Google's, what depends on
  // something that the state doesn't know can't have been made itself.
  const inGrafana = planned.type.startsWith("grafana:");
  const needed = [...(inGrafana ? [] : dependencies), ...(parent === undefined ? [] : [parent])];
  if (!needed.every((urn) => urns.has(urn))) return [];
  if (!inGrafana && JSON.stringify(inputs).includes(UNKNOWN)) return [];
  const { project = "", region = "", zone = "" } = (provider.inputs ?? {}) as Record<string, string>;
  const id = resourceId(planned.type, inputs, { project, region, zone });
  if (id === undefined || id.includes(UNKNOWN)) return [];
  // Without arguments, as for an import: the provider fills them in from what is there.
  const made = { ...planned, id, inputs: {}, outputs: {} };
  return [inGrafana ? { ...made, dependencies: [], propertyDependencies: {}, deletedWith: undefined } : made];
}

async function importState(pulumi: Pulumi, state: Export): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), "k8sfv-adopt-"));
  try {
    const file = path.join(folder, "state.json");
    await writeFile(file, JSON.stringify(state), { mode: 0o600 });
    await pulumi(["stack", "import", "--file", file]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
