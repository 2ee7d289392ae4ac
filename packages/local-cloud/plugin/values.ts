/** A value exchanged with the engine: JSON, with a special string for unknown values. */
export type Value = null | boolean | number | string | Value[] | Values;

/** Arguments or outputs of a resource. An undefined value is equivalent to a missing key. */
export interface Values {
  [key: string]: Value | undefined;
}

/** Placeholder for a value that is not known yet (the SDK's `runtime.unknownValue`). */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The SDK's `runtime.specialSigKey`, and the signature of secrets. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** Marks an output as a secret, which the engine encrypts in the state. */
export function secret(value: Value): Values {
  return { [SIGNATURE]: SECRET, value };
}

/** Returns the value inside {@link secret}, or the value itself. */
export function unwrap(value: Value | undefined): Value | undefined {
  return isValues(value) && value[SIGNATURE] === SECRET ? value["value"] : value;
}

/** Reports whether the value contains no unknown value. */
export function isKnown(value: Value | undefined): boolean {
  if (Array.isArray(value)) return value.every(isKnown);
  if (isValues(value)) return Object.values(value).every(isKnown);
  return value !== UNKNOWN;
}

/** Reports whether the value is an object. */
export function isValues(value: Value | undefined): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns a string, or undefined if there is none. */
export function optionalText(values: Values, key: string): string | undefined {
  const value = values[key];
  return typeof value === "string" ? value : undefined;
}

/** Returns a string. @throws Error when there is none */
export function text(values: Values, key: string): string {
  const value = optionalText(values, key);
  if (value === undefined) throw new Error(`${key}: a string is required`);
  return value;
}

/**
 * Returns a number, or undefined if there is none. A string of digits counts as a number, as in the real providers
 * (pulumi-terraform-bridge).
 */
export function number(values: Values, key: string): number | undefined {
  const value = values[key];
  if (typeof value === "string" && /^-?\d+$/.test(value)) return Number(value);
  return typeof value === "number" ? value : undefined;
}

/** Returns the object under the key, or an empty object if there is none. */
export function map(values: Values, key: string): Values {
  const value = values[key];
  return isValues(value) ? value : {};
}

/** Returns a list, or an empty one if there is none. */
export function list(values: Values, key: string): Value[] {
  const value = values[key];
  return Array.isArray(value) ? value : [];
}

/** Returns the elements of a list that are objects, without all others. */
export function maps(values: Values, key: string): Values[] {
  return list(values, key).filter(isValues);
}

/** Returns the strings in a list. */
export function texts(values: Values, key: string): string[] {
  return list(values, key).filter((value) => typeof value === "string");
}

/** Compares values as JSON, independent of key order. An undefined value equals a missing key. */
export function equal(a: Value | undefined, b: Value | undefined): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((value, index) => equal(value, b[index]));
  }
  if (isValues(a) && isValues(b)) {
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => equal(a[key], b[key]));
  }
  return (a ?? undefined) === (b ?? undefined);
}
