import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { Cloud, Engine } from "k8sfv-local-cloud";
import type { Measurement } from "./page.ts";

const PROJECT = fileURLToPath(new URL("..", import.meta.url));
/**
 * Factor by which the emulation multiplies Google's typical durations. At one sixth, they are still most of the
 * run's time.
 */
const LATENCY_SCALE = 1 / 6;

/** Fields of an event in the engine's log that the measurement reads. */
interface Event {
  resourcePreEvent?: { metadata: { urn: string; op: string } };
  resOutputsEvent?: { metadata: { urn: string } };
  /** Unix time in seconds. */
  timestamp: number;
}

interface Resource {
  urn: string;
  parent?: string;
  provider?: string;
  dependencies?: string[];
}

/**
 * Measures `pulumi up` of a new stack, relative to the longest path through its resource graph: the sum of
 * durations along dependencies, providers and parents. No run with these dependencies can be faster, so a
 * ratio above 1 is additional waiting. Also measures the time from the last resource to the program's exit.
 */
export async function measureUp(cloud: Cloud, engine: Engine): Promise<Measurement[]> {
  const faults = path.join(cloud.dir, "faults.json");
  const log = path.join(cloud.pulumiDir, "events.json");
  await writeFile(faults, JSON.stringify({ latencyScale: LATENCY_SCALE }));
  const started = Date.now();
  // The engine writes an event log only with this variable.
  const env = { ...engine.env, PULUMI_DEBUG_COMMANDS: "true" };
  const args = ["up", "--yes", "--skip-preview", "--event-log", log];
  const run = execa(path.join(cloud.binDir, "pulumi"), args, { cwd: PROJECT, env, stdin: "ignore" });
  let lastMade = started;
  run.stdout.on("data", (chunk: Buffer) => {
    if (/ created /.test(chunk.toString())) lastMade = Date.now();
  });
  await run;
  const ended = Date.now();
  const seconds = (ended - started) / 1000;
  await rm(faults);
  const events = (await readFile(log, "utf8"))
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Event);
  const { deployment } = JSON.parse(await engine.pulumi(["stack", "export"])) as {
    deployment: { resources: Resource[] };
  };
  const { length, urns } = longestPath(deployment.resources, durations(events));
  const names = urns.map((urn) => urn.split("::").at(-1)).filter((name) => name !== undefined);
  const whole: Measurement = {
    what: `\`up\` of a new stack ÷ its longest path, Google's durations × ${LATENCY_SCALE.toFixed(2)}`,
    result: (seconds / length).toFixed(2),
    aim: "≤ 1.10",
    from: `${seconds.toFixed(0)} s ÷ ${length.toFixed(0)} s: ${names.join(" → ")}`,
    cure: "look for a dependency that a resource on the path doesn't need",
  };
  const end: Measurement = {
    what: "time from `up`'s last resource to its exit",
    result: `${((ended - lastMade) / 1000).toFixed(1)} s`,
    aim: "≤ 2 s",
    from: "the last output line about a resource, and the exit",
    cure: "look for an open connection or timer of the program",
  };
  return [whole, end];
}

/** Returns how long the creation of each resource took, in seconds. Components are omitted. */
export function durations(events: Event[]): Map<string, number> {
  const begun = new Map<string, number>();
  const times = new Map<string, number>();
  for (const { resourcePreEvent: before, resOutputsEvent: after, timestamp } of events) {
    if (before?.metadata.op === "create") begun.set(before.metadata.urn, timestamp);
    const start = after && begun.get(after.metadata.urn);
    if (after !== undefined && start !== undefined && !isComponent(after.metadata.urn)) {
      times.set(after.metadata.urn, timestamp - start);
    }
  }
  return times;
}

/** Reports whether the URN's type, the last part of its type chain, is a component. */
function isComponent(urn: string): boolean {
  const type = urn.split("::")[2]?.split("$").at(-1) ?? "";
  return /^(k8sfv|pulumi:pulumi):/.test(type);
}

/**
 * Returns the chain of dependent resources whose creation takes longest in total. `times` contains the duration of each
 * resource's creation by URN.
 */
export function longestPath(
  resources: Resource[],
  times: Map<string, number>,
): { length: number; urns: string[] } {
  const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
  const known = new Map<string, { length: number; urns: string[] }>();
  const pathTo = (urn: string): { length: number; urns: string[] } => {
    const found = known.get(urn);
    if (found !== undefined) return found;
    const { dependencies = [], provider, parent } = byUrn.get(urn) ?? {};
    // A provider reference is URN::ID.
    const before = [...dependencies, ...(provider ? [provider.split("::").slice(0, -1).join("::")] : [])];
    const longest = [...before, ...(parent === undefined ? [] : [parent])]
      .map(pathTo)
      .reduce((a, b) => (b.length > a.length ? b : a), { length: 0, urns: [] });
    const own = times.get(urn) ?? 0;
    const path = own === 0 ? longest : { length: longest.length + own, urns: [...longest.urns, urn] };
    known.set(urn, path);
    return path;
  };
  return resources.map(({ urn }) => pathTo(urn)).reduce((a, b) => (b.length > a.length ? b : a));
}
