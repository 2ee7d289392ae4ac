import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { findForeign, type SkippedResource } from "./ownership.ts";
import { resourceId } from "./resource-ids.ts";
import { removeResources, type Export, type Pulumi, type State } from "./state.ts";

export type { Pulumi } from "./state.ts";

interface Preview {
  steps?: { op: string; newState?: State }[];
}

/** The engine's placeholder for unknown values. */
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Result of {@link importExisting}. */
export interface ImportResult {
  /** URNs of the imported resources. */
  imported: string[];
  /** Resources that may belong to another stack and were not imported. */
  skipped: SkippedResource[];
}

/**
 * Imports resources that exist at Google or in Grafana but are missing in the state. Resources are missing if a run was
 * killed before it saved the state, if a response was lost, or if Grafana's disk was kept when everything else was
 * destroyed. Creating such a resource fails with "already exists".
 *
 * The candidates are the resources that a preview would create, under the names that the program gives them. They are
 * added to the state with their IDs. A refresh then removes from the state the candidates that don't exist. Candidates
 * that may belong to another stack are also removed from the state (ownership.ts). If the refresh fails, the previous
 * state is restored.
 *
 * @param pulumi runs the engine on the stack
 * @param others IDs of the resources in other stacks' states, by stack
 * @throws Error of the engine, e.g. when the state is locked or Google rejects a request
 */
export async function importExisting(
  pulumi: Pulumi,
  others: Record<string, string[]> = {},
): Promise<ImportResult> {
  const exported = JSON.parse(await pulumi(["stack", "export"])) as Export;
  const known = exported.deployment.resources ?? [];
  const preview = JSON.parse(await pulumi(["preview", "--json"]).catch(planOfFailedPreview)) as Preview;
  const candidates = importCandidates(preview.steps ?? [], known);
  const pending = exported.deployment.pending_operations ?? [];
  if (candidates.length === 0 && pending.length === 0) return { imported: [], skipped: [] };

  // Pending operations are dropped: the refresh finds out whether their resources exist.
  const deployment = {
    ...exported.deployment,
    resources: [...known, ...candidates],
    pending_operations: [],
  };
  await importState(pulumi, { ...exported, deployment }).catch(async (error: unknown) => {
    // If the state is locked, the import has not changed it.
    if (lockOf(error) === undefined) await restoreState(pulumi, exported);
    throw error;
  });
  if (candidates.length === 0) return { imported: [], skipped: [] };
  try {
    return await refreshCandidates(pulumi, candidates, others);
  } catch (error) {
    await restoreState(pulumi, exported);
    throw error;
  }
}

/** Restores the previous state. @throws Error with the cure if that fails */
async function restoreState(pulumi: Pulumi, exported: Export): Promise<void> {
  await importState(pulumi, exported).catch((cause: unknown) => {
    const cure = "run pulumi refresh to remove resources that don't exist";
    throw new Error(`The previous state could not be restored: ${cure}`, { cause });
  });
}

/** Returns the engine's description of the lock's owner if the error is about a locked state. */
export function lockOf(error: unknown): string | undefined {
  const { stderr } = error as { stderr?: unknown };
  const text = typeof stderr === "string" ? stderr : String(error);
  // The first message is about a locked state in a bucket or directory, the second about one in Pulumi Cloud.
  const [, file, service] =
    /locked by \d+ lock\(s\).*\n\s*(.+)|(Another update is currently in progress)/.exec(text) ?? [];
  return (file ?? service)?.trim();
}

/** Refreshes the candidates in the state and removes those that may belong to another stack. */
async function refreshCandidates(
  pulumi: Pulumi,
  candidates: State[],
  others: Record<string, string[]>,
): Promise<ImportResult> {
  const targets = candidates.flatMap(({ urn }) => ["--target", urn]);
  // The program opens the tunnel to Grafana and must run during the refresh.
  const options = candidates.some(({ type }) => type.startsWith("grafana:")) ? ["--run-program"] : [];
  await pulumi(["refresh", "--yes", "--skip-preview", ...options, ...targets]);
  const after = JSON.parse(await pulumi(["stack", "export"])) as Export;
  // A second export with decrypted values, because findForeign compares labels, which the SDK encrypts as secrets.
  // `after` stays encrypted, because the state may be restored from it below.
  const revealed = JSON.parse(await pulumi(["stack", "export", "--show-secrets"])) as Export;
  const sought = new Set(candidates.filter(({ custom }) => custom === true).map(({ urn }) => urn));
  const there = (revealed.deployment.resources ?? []).filter(({ urn }) => sought.has(urn));
  const skipped = findForeign(there, stackOf(there[0]?.urn ?? ""), others);
  const urns = skipped.map(({ urn }) => urn);
  if (skipped.length > 0) await importState(pulumi, removeResources(after, urns));
  return { imported: there.map(({ urn }) => urn).filter((urn) => !urns.includes(urn)), skipped };
}

/** Returns the stack's name in "urn:pulumi:STACK::PROJECT::TYPE::NAME". */
function stackOf(urn: string): string {
  return urn.split("::")[0]?.split(":").at(-1) ?? "";
}

/** Returns the planned resources that may exist, in the order of the plan, with the components that contain them. */
function importCandidates(steps: NonNullable<Preview["steps"]>, known: State[]): State[] {
  const found: State[] = [];
  for (const { op, newState } of steps) {
    if (op !== "create" || newState === undefined) continue;
    // Earlier candidates are passed like resources of the state: if such a candidate exists, resources that depend on
    // it may exist too.
    if (newState.custom === true) found.push(...asCreated(newState, [...known, ...found]));
    else found.push(newState);
  }
  const isParent = (urn: string): boolean =>
    found.some((child) => child.parent === urn && (child.custom === true || isParent(child.urn)));
  return found.filter(({ urn, custom }) => custom === true || isParent(urn));
}

/**
 * Returns the plan that a failed preview printed. A preview fails, for example, if the cluster is incomplete.
 *
 * @throws the preview's error if it printed no plan
 */
function planOfFailedPreview(error: unknown): string {
  const { stdout } = error as { stdout?: unknown };
  if (typeof stdout === "string" && stdout.trimStart().startsWith("{")) return stdout;
  throw error;
}

/**
 * Returns the state to record for a planned resource that may already exist. Returns an empty list if it can't exist or
 * its ID is unknown.
 */
function asCreated(planned: State, known: State[]): State[] {
  const provider = known.find(({ urn, id }) => `${urn}::${id ?? ""}` === planned.provider);
  if (provider === undefined) return [];
  const urns = new Set(known.map(({ urn }) => urn));
  const { parent, dependencies = [], inputs = {} } = planned;
  // A Google resource is created after its dependencies, so it can exist only if they are in the stack or may exist
  // too. A resource in Grafana is stored on Grafana's disk, so it can exist although its dependencies are missing.
  const inGrafana = planned.type.startsWith("grafana:");
  const needed = [...(inGrafana ? [] : dependencies), ...(parent === undefined ? [] : [parent])];
  if (!needed.every((urn) => urns.has(urn))) return [];
  if (!inGrafana && JSON.stringify(inputs).includes(UNKNOWN)) return [];
  const { project = "", region = "", zone = "" } = (provider.inputs ?? {}) as Record<string, string>;
  const id = resourceId(planned.type, inputs, { project, region, zone });
  if (id === undefined || id.includes(UNKNOWN)) return [];
  // The inputs are empty, as for an import, because the provider reads them during the refresh.
  const made = { ...planned, id, inputs: {}, outputs: {} };
  return [inGrafana ? { ...made, dependencies: [], propertyDependencies: {}, deletedWith: undefined } : made];
}

async function importState(pulumi: Pulumi, state: Export): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), "k8sfv-import-"));
  try {
    const file = path.join(folder, "state.json");
    await writeFile(file, JSON.stringify(state), { mode: 0o600 });
    await pulumi(["stack", "import", "--file", file]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
