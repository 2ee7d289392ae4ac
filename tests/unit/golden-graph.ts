import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { Document, isCollection, visit } from "yaml";
import type { Recorded } from "./mocks.ts";

/** Resources by "type name", each with its options and its inputs. */
export type Graph = Record<string, Record<string, unknown>>;

/** Keys of inputs whose value is a JSON document. */
const DOCUMENTS = ["configJson", "jsonDataEncoded", "alertmanager.yaml"];
/** Maximum length of a map or list that is written on one line, in characters of JSON. */
const LINE = 90;
/** Key of the object that represents a secret value (pulumi/sdk, specialSigKey). */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
/** Stands in a difference for a resource or value that is in the base and not in the other stack. */
export const ABSENT = "(absent)";

/** Returns the resources in alphabetical order. @throws Error if two resources have the same type and name */
export function graphOf(recorded: Recorded[]): Graph {
  const entries = recorded.map(({ type, name, options, inputs }): [string, Record<string, unknown>] => [
    `${type} ${name}`,
    { ...options, ...(type.startsWith("k8sfv:") ? {} : { inputs: readable("", inputs) }) },
  ]);
  const graph = Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  if (Object.keys(graph).length < entries.length)
    throw new Error("two resources have the same type and name");
  return graph;
}

/**
 * Makes an input readable: parses JSON documents, so that a change in one is a small diff; replaces programs by their
 * hash; and marks secrets.
 */
function readable(key: string, value: unknown): unknown {
  if (typeof value === "string") {
    if (key.endsWith(".mjs")) return `sha256 ${createHash("sha256").update(value).digest("hex")}`;
    return DOCUMENTS.includes(key) ? readable("", JSON.parse(value)) : value;
  }
  if (Array.isArray(value)) return value.map((item) => readable("", item));
  if (typeof value !== "object" || value === null) return value;
  if (SIGNATURE in value && "value" in value) return { secret: readable("", value.value) };
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([name, inner]) => [name, readable(name, inner)]),
  );
}

/**
 * Returns the parts of `other` that differ from `base`, by key; undefined if there are none. Lists of objects are
 * compared item by item if they have the same length, other lists as a whole.
 */
export function difference(base: unknown, other: unknown): unknown {
  if (isDeepStrictEqual(base, other)) return undefined;
  if (!isObject(base) || !isObject(other) || !isComparable(base, other))
    return other === undefined ? ABSENT : other;
  const keys = [...new Set([...Object.keys(base), ...Object.keys(other)])];
  const parts = keys.map((key): [string, unknown] => [key, difference(base[key], other[key])]);
  const changed = parts.filter(([, part]) => part !== undefined);
  return changed.length === 0 ? undefined : Object.fromEntries(changed);
}

function isComparable(base: object, other: object): boolean {
  if (!Array.isArray(base) && !Array.isArray(other)) return true;
  return Array.isArray(base) && Array.isArray(other) && base.length === other.length && base.every(isObject);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** Formats a value as YAML with short maps and lists on one line. */
export function toYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Collection: (_, node, path) => {
      const isResource = path.length <= 2;
      if (!isResource && isCollection(node) && isShort(node.toJSON())) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

function isShort(value: unknown): boolean {
  const text = JSON.stringify(value);
  return text.length <= LINE && !text.includes("\\n");
}
