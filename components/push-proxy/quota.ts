/**
 * Limits the size of the Pushgateway's data, because the Pushgateway never deletes groups by itself and its memory is
 * limited. A push that doesn't increase the size is always accepted.
 */
import { headersOf } from "./gateway.ts";
import { send, type Upstream } from "./http.ts";
import { counters } from "./metrics.ts";
import { MAX_STORED_BYTES } from "./settings.ts";

/**
 * Labels of a group, as JSON, and the size of each of its families by name. The size is the length of the family's JSON
 * in the Pushgateway's API.
 */
export interface FamilySizes {
  labels: string;
  families: Map<string, number>;
}

/**
 * Pushes up to this size are accepted until the Pushgateway's data reaches its size limit, larger ones only until 90 %
 * of the limit, so that a large job doesn't block nightly pushes.
 */
const SMALL_GROUP_BYTES = 2 ** 20;
/** Families that the Pushgateway and the proxy add to a group. */
const IGNORED = new Set([
  "labels",
  "last_push_successful",
  "push_time_seconds",
  "push_failure_time_seconds",
  "push_proxy_stale_family",
]);
const TIMEOUT_MS = 30_000;

/** Returns whether a push of this size would exceed the limit if all its metrics were new. */
export function mayExceedQuota(bytes: number): boolean {
  return counters.storedBytes + bytes > limitFor(bytes);
}

function limitFor(bytes: number): number {
  return bytes > SMALL_GROUP_BYTES ? 0.9 * MAX_STORED_BYTES : MAX_STORED_BYTES;
}

let queue: Promise<unknown> = Promise.resolve();

/**
 * Returns the labels and family sizes of a group, or undefined if the group doesn't exist. Calls wait for each other to
 * limit memory: the Pushgateway's response contains all groups, some 25 MB if its data is at the size limit.
 */
export async function groupSizes(from: Upstream, labels: string): Promise<FamilySizes | undefined> {
  const found = queue.then(() => familySizes(from, labels));
  queue = found.catch(() => undefined);
  return found;
}

/**
 * Returns whether a push makes its group larger, and the Pushgateway's data would then exceed the size limit.
 *
 * @param replaces - whether the push replaces the whole group (PUT), or only families of the same names (POST)
 * @param from - the Pushgateway
 */
export async function exceedsQuota(pushed: FamilySizes, replaces: boolean, from: Upstream): Promise<boolean> {
  const old = (await groupSizes(from, pushed.labels))?.families ?? new Map<string, number>();
  const sum = (sizes: Iterable<number>) => [...sizes].reduce((total, size) => total + size, 0);
  const size = sum(pushed.families.values());
  const replaced = replaces ? old : new Map([...old].filter(([name]) => pushed.families.has(name)));
  const growth = size - sum(replaced.values());
  return growth > 0 && counters.storedBytes + growth > limitFor(size);
}

/**
 * Returns the labels of a group and the sizes of its metric families in bytes, or undefined if the group doesn't exist.
 *
 * @param labels - labels of the group. Default: the first group, for a Pushgateway that has only one group
 */
export async function familySizes(from: Upstream, labels?: string): Promise<FamilySizes | undefined> {
  const request = { method: "GET", path: "/api/v1/metrics", headers: headersOf(), body: Buffer.alloc(0) };
  const { body } = await send(from, request, TIMEOUT_MS);
  for (const text of groupsOf(body)) {
    const group = JSON.parse(text) as Record<string, unknown>;
    const found = JSON.stringify(group.labels);
    if (labels !== undefined && found !== labels) continue;
    const families = Object.entries(group).filter(([name]) => !IGNORED.has(name));
    return {
      labels: found,
      families: new Map(families.map(([name, family]) => [name, sizeOf(family)])),
    };
  }
  return undefined;
}

/** Returns the length of a metric family's JSON, without the push time. */
function sizeOf(family: unknown): number {
  return JSON.stringify({ ...(family as object), time_stamp: undefined }).length;
}

/**
 * Yields the groups in the JSON `{"status":…,"data":[{group},…]}` as text. Parsing all groups together would need many
 * times the memory.
 */
export function* groupsOf(json: Buffer): Generator<string> {
  const [QUOTE, BACKSLASH, OPEN, CLOSE] = [...'"\\{}'].map((character) => character.charCodeAt(0));
  let depth = 0;
  let start = 0;
  let isString = false;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (isString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) isString = false;
    } else if (byte === QUOTE) isString = true;
    else if (byte === OPEN) {
      depth += 1;
      if (depth === 2) start = at;
    } else if (byte === CLOSE) {
      depth -= 1;
      if (depth === 1) yield json.toString("utf8", start, at + 1);
    }
  }
}
