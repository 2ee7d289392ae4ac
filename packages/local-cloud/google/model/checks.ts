import { isIPv4 } from "node:net";
import { parseCidr } from "../../../../lib/cidr.ts";
import type { Value } from "../../plugin/values.ts";
import { invalidFieldText } from "./api-error.ts";
import type { Check, Checks, Location } from "../../plugin/schema/validate.ts";

/** Google's pattern for names of compute resources (RFC 1035). */
const namePattern = "(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)";
const nameRule = new RegExp(`^${namePattern}$`);

/** Checks a name as the Compute API does. */
export const checkName: Check = (value, at) =>
  typeof value === "string" && nameRule.test(value)
    ? undefined
    : invalid(at, value, `Must be a match of regex '${namePattern}'`);

/** Checks a CIDR range. Its address must be the first of the range. */
export const checkRange: Check = (value, at) =>
  typeof value === "string" && parseCidr(value) !== undefined
    ? undefined
    : invalid(at, value, "Must be a CIDR range that starts with its first address, e.g. 10.248.0.0/20");

export const checkAddress: Check = (value, at) =>
  typeof value === "string" && isIPv4(value) ? undefined : invalid(at, value, "Must be a valid IPv4 address");

/** Returns a check that a string matches the pattern. The error message is that of the real provider. */
export function matches(pattern: string): Check {
  const rule = new RegExp(pattern);
  return (value, { terraform }) =>
    typeof value === "string" && rule.test(value)
      ? undefined
      : `"${terraform}" (${JSON.stringify(value)}) doesn't match regexp "${pattern}"`;
}

/** Returns a check that a value is one of `allowed`. The error message is that of the real provider. */
export function oneOf(...allowed: string[]): Check {
  return (value, { terraform }) => {
    if (typeof value === "string" && allowed.includes(value)) return undefined;
    const list = allowed.map((one) => JSON.stringify(one)).join(" ");
    return `expected ${terraform} to be one of [${list}], got ${show(value)}`;
  };
}

/** Returns a check that a value is an integer from `min` to `max`. The error message is that of the real provider. */
export function between(min: number, max: number): Check {
  return (value, { terraform }) => {
    const number = Number(value);
    if (Number.isInteger(number) && number >= min && number <= max) return undefined;
    return `expected ${terraform} to be in the range (${min} - ${max}), got ${show(value)}`;
  };
}

/** Returns a check that a value is an integer of at least `min`. The error message is that of the real provider. */
export function atLeast(min: number): Check {
  return (value, { terraform }) =>
    Number.isInteger(Number(value)) && Number(value) >= min
      ? undefined
      : `expected ${terraform} to be at least (${min}), got ${show(value)}`;
}

/** Checks an RFC 3339 time such as `2026-01-31T04:00:00Z`, with the message of Go's parser. */
export const checkTime: Check = (value) =>
  typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value)
    ? undefined
    : `parsing time "${show(value)}" as "2006-01-02T15:04:05Z07:00": cannot parse "${show(value)}"`;

/**
 * Returns checks that reject arguments which the local cloud does not emulate.
 *
 * @param paths paths of arguments, without indexes, e.g. `secondaryIpRanges.reservedInternalRange`
 */
export function notEmulated(...paths: string[]): Checks {
  const check: Check = (_value, { pulumi }) =>
    `The local cloud doesn't emulate the argument "${pulumi}"; see packages/local-cloud/google/README.md`;
  return Object.fromEntries(paths.map((path) => [path, check]));
}

function invalid({ pulumi }: Location, value: Value, why: string): string {
  return invalidFieldText(`resource.${pulumi}`, show(value), why);
}

/** Formats a value for a message. */
export function show(value: Value): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
