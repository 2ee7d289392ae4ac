/** What the engine hands to a plugin and takes back: JSON, in which a text can stand for "not known yet". */
export type Value = null | boolean | number | string | Value[] | Values;

/** Arguments or outputs of a resource. A key whose value is undefined is as good as not there. */
export interface Values {
  [key: string]: Value | undefined;
}

/** Stands for a value that is known only once something else is made (the SDK's `runtime.unknownValue`). */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The SDK's `runtime.specialSigKey`, and the signature of a secret in it. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** Marks an output as secret: the engine then encrypts it in its state. */
export function secret(value: Value): Values {
  return { [SIGNATURE]: SECRET, value };
}

/** The value inside {@link secret}, or the value itself. */
export function unwrap(value: Value | undefined): Value | undefined {
  return isValues(value) && value[SIGNATURE] === SECRET ? value["value"] : value;
}

/** Whether nothing in the value is still to come. */
export function isKnown(value: Value | undefined): boolean {
  if (Array.isArray(value)) return value.every(isKnown);
  if (isValues(value)) return Object.values(value).every(isKnown);
  return value !== UNKNOWN;
}

/** Whether the value is a map. */
export function isValues(value: Value | undefined): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The text under that key, undefined when there is none. */
export function optionalText(values: Values, key: string): string | undefined {
  const value = values[key];
  return typeof value === "string" ? value : undefined;
}

/** The text under that key. @throws Error when there is none */
export function text(values: Values, key: string): string {
  const value = optionalText(values, key);
  if (value === undefined) throw new Error(`${key}: a text is required here`);
  return value;
}

/** The number under that key, undefined when there is none. A text of digits counts, as it does for the engine. */
export function number(values: Values, key: string): number | undefined {
  const value = values[key];
  if (typeof value === "string" && /^-?\d+$/.test(value)) return Number(value);
  return typeof value === "number" ? value : undefined;
}

/** The map under that key, an empty one when there is none. */
export function map(values: Values, key: string): Values {
  const value = values[key];
  return isValues(value) ? value : {};
}

/** The list under that key, an empty one when there is none. */
export function list(values: Values, key: string): Value[] {
  const value = values[key];
  return Array.isArray(value) ? value : [];
}

/** The maps in the list under that key. */
export function maps(values: Values, key: string): Values[] {
  return list(values, key).filter(isValues);
}

/** The texts in the list under that key. */
export function texts(values: Values, key: string): string[] {
  return list(values, key).filter((value) => typeof value === "string");
}

/** Equal as JSON, whatever the order of keys; a key without a value is as good as not there. */
export function equal(a: Value | undefined, b: Value | undefined): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((value, index) => equal(value, b[index]));
  }
  if (isValues(a) && isValues(b)) {
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => equal(a[key], b[key]));
  }
  return (a ?? undefined) === (b ?? undefined);
}
