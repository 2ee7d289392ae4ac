import { UNKNOWN, equal, isKnown, isValues, type Value, type Values } from "../plugin/values.ts";
import type { Change, Failure } from "../plugin/plugin.ts";
import { invalidFieldText } from "./api-error.ts";
import { parseAddress, parseRange } from "./cidr.ts";

/** Whether a changed argument is applied to the resource as it is, or needs a new one. */
export type Effect = "update" | "replace";

/** One argument of a resource type. */
export interface Argument {
  readonly required?: boolean;
  /** By default `update`. A function decides from the old and the new value. */
  readonly change?: Effect | ((before: Value | undefined, after: Value | undefined) => Effect);
  /** Paths below it, e.g. `diskType`, whose change needs a new resource though the rest is updated. */
  readonly replacePaths?: readonly string[];
  /** Taken when the program gives none. */
  readonly default?: Value;
  /** What is wrong with a value; undefined when nothing is. Never asked about one that is not known yet. */
  readonly check?: (value: Value, argument: string) => string | undefined;
  /** Arguments that must not be given beside it. */
  readonly conflictsWith?: readonly string[];
  /** Whether two texts name the same thing; by default when they are equal. */
  readonly same?: (before: string, after: string) => boolean;
}

/** Arguments of a type by name. One that is not listed is refused. */
export type Arguments = Readonly<Record<string, Argument>>;

/** Google's rule for the names of compute resources (RFC 1035). */
const namePattern = "(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)";
const nameRule = new RegExp(`^${namePattern}$`);

/** Checks a name as the Compute API does. */
export function checkName(value: Value, argument: string): string | undefined {
  const ok = typeof value === "string" && nameRule.test(value);
  return ok
    ? undefined
    : invalidFieldText(`resource.${argument}`, show(value), `Must be a match of regex '${namePattern}'`);
}

/** Checks a CIDR range: a network address and a prefix. */
export function checkRange(value: Value, argument: string): string | undefined {
  if (typeof value === "string" && parseRange(value) !== undefined) return undefined;
  return invalidFieldText(
    `resource.${argument}`,
    show(value),
    "Must be a CIDR range, the address its first, e.g. 10.248.0.0/20",
  );
}

/** Checks an IPv4 address. */
export function checkAddress(value: Value, argument: string): string | undefined {
  if (typeof value === "string" && parseAddress(value) !== undefined) return undefined;
  return invalidFieldText(`resource.${argument}`, show(value), "Must be a valid IPv4 address");
}

/** Checks that a value is one of these. The words are the real provider's. */
export function oneOf(...allowed: string[]) {
  return (value: Value, argument: string): string | undefined => {
    if (typeof value === "string" && allowed.includes(value)) return undefined;
    const list = allowed.map((one) => JSON.stringify(one)).join(" ");
    return `expected ${argument} to be one of [${list}], got ${show(value)}`;
  };
}

/** Checks a whole number in a range, both ends allowed. The words are the real provider's. */
export function between(least: number, most: number) {
  return (value: Value, argument: string): string | undefined => {
    const number = typeof value === "string" && value !== "" ? Number(value) : value;
    if (typeof number === "number" && Number.isInteger(number) && number >= least && number <= most) {
      return undefined;
    }
    return `expected ${argument} to be in the range (${least} - ${most}), got ${show(value)}`;
  };
}

/** Checks a whole number that has a least value only. The words are the real provider's. */
export function atLeast(least: number) {
  return (value: Value, argument: string): string | undefined =>
    between(least, Number.MAX_SAFE_INTEGER)(value, argument) === undefined
      ? undefined
      : `expected ${argument} to be at least (${least}), got ${show(value)}`;
}

/** Whether two references name the same resource: a self link, an id or its last part. */
export function sameReference(before: string, after: string): boolean {
  const parts = (reference: string): string[] =>
    reference.slice(Math.max(0, reference.indexOf("projects/"))).split("/");
  const [a, b] = [parts(before), parts(after)];
  return a.length > 1 && b.length > 1 ? a.join("/") === b.join("/") : a.at(-1) === b.at(-1);
}

/** Puts in the defaults. */
export function complete(known: Arguments, inputs: Values): Values {
  const completed = { ...inputs };
  for (const [name, { default: value }] of Object.entries(known)) {
    if (value !== undefined && completed[name] === undefined) completed[name] = value;
  }
  return completed;
}

/** What is wrong with the arguments, each by itself and beside the others. */
export function refuse(title: string, known: Arguments, inputs: Values): Failure[] {
  const failures: Failure[] = [];
  for (const [property, value] of Object.entries(inputs)) {
    if (property.startsWith("__") || value === undefined) continue;
    const argument = known[property];
    if (argument === undefined) {
      const reason = `The local cloud's ${title} knows no argument "${property}"; it knows ${Object.keys(known).join(", ")}`;
      failures.push({ property, reason });
      continue;
    }
    const conflict = argument.conflictsWith?.find((other) => inputs[other] !== undefined);
    if (conflict !== undefined)
      failures.push({ property, reason: `"${property}": conflicts with ${conflict}` });
    const reason = isKnown(value) ? argument.check?.(value, property) : undefined;
    if (reason !== undefined) failures.push({ property, reason });
  }
  for (const [property, { required }] of Object.entries(known)) {
    if (required === true && inputs[property] === undefined) {
      failures.push({
        property,
        reason: `Missing required argument: The argument "${property}" is required`,
      });
    }
  }
  return failures;
}

/** What differs between two sets of arguments, by path, and what that means for the resource. */
export function differences(known: Arguments, before: Values, after: Values): Change[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names]
    .filter((name) => !name.startsWith("__"))
    .flatMap((name) => {
      const argument = known[name] ?? {};
      const [old, now] = [before[name], after[name]];
      if (typeof old === "string" && typeof now === "string" && argument.same?.(old, now)) return [];
      const effect = typeof argument.change === "function" ? argument.change(old, now) : argument.change;
      return paths(name, old, now).map((change) => ({
        ...change,
        replace:
          effect === "replace" ||
          (argument.replacePaths ?? []).some((path) => under(change.path, `${name}.${path}`)),
      }));
    });
}

/** Whether the change at `path` is one of `whole`, or takes it away with what is around it. */
function under(path: string, whole: string): boolean {
  return [path, whole].some((one) =>
    [path, whole].every(
      (other) => other === one || (/^[.[]/.test(other.slice(one.length)) && other.startsWith(one)),
    ),
  );
}

type PlainChange = Omit<Change, "replace">;

/** Switches that are on where the program says nothing; every other one is off. */
const onByDefault = /\b(enableIntegrityMonitoring|enableShieldedNodes|deletionProtection)$/;

function paths(path: string, before: Value | undefined, after: Value | undefined): PlainChange[] {
  if (equal(before, after)) return [];
  const isOff = [before, after].every((value) => value === undefined || value === false);
  if (isOff && !onByDefault.test(path)) return [];
  if (before === undefined) return [{ path, kind: "add" }];
  if (after === undefined) return [{ path, kind: "delete" }];
  if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, n) => paths(`${path}[${n}]`, before[n], after[n])).flat();
  }
  if (isValues(before) && isValues(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
      paths(`${path}${/^\w+$/.test(key) ? `.${key}` : `["${key}"]`}`, before[key], after[key]),
    );
  }
  return [{ path, kind: "update" }];
}

/** A value as a person sees it in a message. */
function show(value: Value): string {
  if (value === UNKNOWN) return "(not known yet)";
  return typeof value === "string" ? value : JSON.stringify(value);
}
