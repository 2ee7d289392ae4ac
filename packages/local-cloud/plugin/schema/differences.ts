import type { Change } from "../plugin.ts";
import { equal, isValues, type Value, type Values } from "../values.ts";
import type { Argument, Block } from "./argument.ts";

/** Whether a change updates or replaces the resource. */
export type Effect = "update" | "replace";

/**
 * Functions by argument path, for arguments whose old and new values decide whether a change updates or replaces the
 * resource. The provider's schema doesn't contain such rules.
 */
export type Effects = Readonly<
  Record<string, (before: Value | undefined, after: Value | undefined) => Effect>
>;

/** Input of an argument before and after the change, and its output in the state. */
interface Pair<T> {
  readonly before: T;
  readonly after: T;
  readonly state: T;
}

/** Returns the differences between two sets of arguments, as the provider computes them. */
export function differences(schema: Block, effects: Effects, pair: Pair<Values>): Change[] {
  return [...blockChanges(schema, pair, "")].map((change) => {
    const effect = effects[change.path]?.(pair.before[change.path], pair.after[change.path]);
    return effect === undefined ? change : { ...change, replace: effect === "replace" };
  });
}

function* blockChanges(block: Block, { before, after, state }: Pair<Values>, at: string): Generator<Change> {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  for (const name of [...names].filter((one) => !one.startsWith("__"))) {
    const argument = block[name] ?? ({} as Argument);
    const known = before[name] ?? argument.default ?? (argument.computed ? state[name] : undefined);
    const pair = { before: known, after: after[name], state: state[name] };
    yield* argumentChanges(argument, pair, at === "" ? name : `${at}.${name}`);
  }
}

function* argumentChanges(
  argument: Argument,
  pair: Pair<Value | undefined>,
  path: string,
): Generator<Change> {
  const { before, after, state } = pair;
  if (isSame(argument, before, after)) return;
  const replace = argument.forceNew === true;
  if (before === undefined || after === undefined) {
    // If the program no longer sets a computed argument, the provider keeps its value.
    if (after === undefined && argument.computed) return;
    const kind = before === undefined ? "add" : "delete";
    yield { path, kind, replace: replace || forces(argument, before ?? after) };
  } else if (isValues(before) && isValues(after)) {
    const inner = argument.arguments;
    const known = isValues(state) ? state : {};
    if (inner !== undefined) yield* blockChanges(inner, { before, after, state: known }, path);
    else yield* mapChanges(before, after, path, replace);
  } else if (Array.isArray(before) && Array.isArray(after)) {
    yield* listChanges(argument, { before, after, state: Array.isArray(state) ? state : [] }, path);
  } else {
    yield { path, kind: "update", replace };
  }
}

function* mapChanges(before: Values, after: Values, path: string, replace: boolean): Generator<Change> {
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (equal(before[key], after[key])) continue;
    const kind = before[key] === undefined ? "add" : after[key] === undefined ? "delete" : "update";
    yield { path: `${path}${/^\w+$/.test(key) ? `.${key}` : `["${key}"]`}`, kind, replace };
  }
}

/** Compares two lists item by item. If they are sets, it first leaves out the items that are in both. */
function* listChanges(argument: Argument, { before, after, state }: Pair<Value[]>, path: string) {
  const without = (these: Value[], others: Value[]) =>
    [...these.keys()].filter(
      (n) => argument.type !== "TypeSet" || !others.some((one) => equal(one, these[n])),
    );
  const [old, now] = [without(before, after), without(after, before)];
  // `computed` doesn't apply to items. If the program no longer sets a computed list, the provider keeps the old list;
  // but if the program sets a shorter list, the provider removes the surplus items.
  const item = { ...argument, computed: false };
  for (let n = 0; n < Math.max(old.length, now.length); n++) {
    const [from = -1, to = -1] = [old[n], now[n]];
    const pair = { before: before[from], after: after[to], state: state[from] };
    yield* argumentChanges(item, pair, `${path}[${Math.max(from, to)}]`);
  }
}

/**
 * Reports whether the provider treats two values as equal. The provider can't distinguish a missing argument from an
 * empty one.
 */
function isSame(argument: Argument, before: Value | undefined, after: Value | undefined): boolean {
  if (equal(before, after) || (isEmpty(before) && isEmpty(after))) return true;
  if (
    typeof before === "object" ||
    typeof after === "object" ||
    before === undefined ||
    after === undefined
  ) {
    return false;
  }
  if (String(before) === String(after)) return true;
  return argument.suppressesSomeDiffs === true && sameReference(String(before), String(after));
}

function isEmpty(value: Value | undefined): boolean {
  const empty: (Value | undefined)[] = [undefined, null, false, 0, ""];
  return empty.includes(value) || (Array.isArray(value) && value.length === 0);
}

/**
 * Reports whether adding or removing a block forces a replacement: it does if the block sets an argument that forces
 * one.
 */
function forces(argument: Argument, value: Value | undefined): boolean {
  if (Array.isArray(value)) return value.some((item) => forces(argument, item));
  if (!isValues(value)) return false;
  return Object.entries(argument.arguments ?? {}).some(
    ([name, inner]) => !isEmpty(value[name]) && (inner.forceNew === true || forces(inner, value[name])),
  );
}

/** Reports whether two references name the same resource. Each is a self link, an ID, or an ID's last part. */
function sameReference(before: string, after: string): boolean {
  const parts = (reference: string): string[] =>
    reference.slice(Math.max(0, reference.indexOf("projects/"))).split("/");
  const [a, b] = [parts(before), parts(after)];
  return a.length > 1 && b.length > 1 ? a.join("/") === b.join("/") : a.at(-1) === b.at(-1);
}
