/**
 * Limits what the Pushgateway holds: it never forgets a group by itself, and its memory is limited. A push that makes
 * nothing larger is always accepted.
 */
import { headersOf } from "./gateway.ts";
import { send, type Upstream } from "./http.ts";
import { counters } from "./metrics.ts";
import { MAX_STORED_BYTES } from "./settings.ts";

/** Bytes of each family of a group, by name, in the JSON of the Pushgateway's API; and the group's labels. */
export interface FamilySizes {
  labels: string;
  families: Map<string, number>;
}

/** Groups that are smaller than this may use all of the limit, others 90 %: a nightly push outlives a noisy job. */
const SMALL_GROUP_BYTES = 2 ** 20;
/** What the Pushgateway and the proxy add to a group. */
const IGNORED = new Set([
  "labels",
  "last_push_successful",
  "push_time_seconds",
  "push_failure_time_seconds",
  "push_proxy_stale_family",
]);
const TIMEOUT_MS = 30_000;

/** Whether a push of this size goes beyond the limit if all of it is new. */
export function mayExceedQuota(bytes: number): boolean {
  return counters.storedBytes + bytes > limitFor(bytes);
}

function limitFor(bytes: number): number {
  return bytes > SMALL_GROUP_BYTES ? 0.9 * MAX_STORED_BYTES : MAX_STORED_BYTES;
}

let queue: Promise<unknown> = Promise.resolve();

/** As familySizes, for one caller at a time: the Pushgateway's response has all groups, and some 25 MB at the limit. */
export async function groupSizes(from: Upstream, labels: string): Promise<FamilySizes | undefined> {
  const found = queue.then(() => familySizes(from, labels));
  queue = found.catch(() => undefined);
  return found;
}

/**
 * Whether a push makes its group larger, and with that goes beyond the limit.
 *
 * @param replaces - whether all of the group is replaced (PUT), or only families of the same names (POST)
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
 * Sizes of one group's families.
 *
 * @param labels - of the group. Default: the first group, for a Pushgateway with only one
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

/** A family's size without the time of its push. */
function sizeOf(family: unknown): number {
  return JSON.stringify({ ...(family as object), time_stamp: undefined }).length;
}

/**
 * The groups in the JSON `{"status":…,"data":[{group},…]}`, each as text: parsing all of it at once would take many times
 * its size in memory.
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
