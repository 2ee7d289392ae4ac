import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import { parse, stringify } from "yaml";
import type { z } from "zod";
import { schema, SECRET_KEYS } from "../config/schema.ts";
import { cloudStacks, LOCAL_STACK } from "./stacks.ts";

/** Path of the page. */
export const CONFIGURATION_PAGE = fileURLToPath(new URL("../docs/configuration.md", import.meta.url));

/** A configuration key on the page. */
export interface Key {
  /**
   * Path from the top level, e.g. ["cluster", "nodeCount"]. A list's name ends with "[]" in the paths of its items'
   * keys, e.g. ["alerts", "expectedRuns[]", "days"].
   */
  path: string[];
  /** Schema without default and optional wrappers. */
  inner: z.core.$ZodType;
  /** Description; "" if the schema has none. */
  description: string;
  /** Default value, or undefined. */
  byDefault: unknown;
  optional: boolean;
  /** Example from a stack file or the schema, or undefined. */
  example: unknown;
}

type Shape = Record<string, z.core.$ZodType>;
/** The properties of zod's classes that this file uses. */
interface Node {
  def: {
    type: string;
    innerType?: z.core.$ZodType;
    shape?: Shape;
    element?: z.core.$ZodType;
    defaultValue?: unknown;
  };
  meta?: () => { description?: string; examples?: unknown[] } | undefined;
  safeParse: (value: unknown) => { error?: { issues: { message: string }[] } };
}

const PREFIX = "k8sfv-metrics:";

/**
 * Returns every key of the schema in order; an object or a list of objects comes before its keys.
 *
 * @param stack stack file with the examples. @default the first stack in Google Cloud
 */
export async function keys(stack = cloudStacks()[0] ?? LOCAL_STACK): Promise<Key[]> {
  const text = await readFile(new URL(`../Pulumi.${stack}.yaml`, import.meta.url), "utf8");
  const { config } = parse(text) as { config: Record<string, unknown> };
  const used = Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key.slice(PREFIX.length), value]),
  );
  return keysOf(schema, [], used);
}

function keysOf(object: z.core.$ZodType, path: string[], used: unknown): Key[] {
  return Object.entries(node(object).def.shape ?? {}).flatMap(([name, value]) => {
    const key = describe(value, [...path, name], field(used, name));
    const { element } = node(key.inner).def;
    const items = element === undefined ? [] : keysOf(element, [...path, `${name}[]`], firstOf(key.example));
    return [key, ...keysOf(key.inner, key.path, field(used, name)), ...items];
  });
}

function describe(outer: z.core.$ZodType, path: string[], used: unknown): Key {
  const key: Key = {
    path,
    inner: outer,
    description: "",
    byDefault: undefined,
    optional: false,
    example: used,
  };
  for (let at: z.core.$ZodType | undefined = outer; at !== undefined; at = node(at).def.innerType) {
    const { def, meta } = node(at);
    const { description, examples } = meta?.call(at) ?? {};
    if (key.description === "") key.description = description ?? "";
    key.example ??= examples?.[0];
    if (def.type === "default" || def.type === "prefault") key.byDefault = def.defaultValue;
    if (def.type === "optional") key.optional = true;
    key.inner = at;
  }
  if (!isObject(key)) key.example ??= key.byDefault;
  return key;
}

function firstOf(list: unknown): unknown {
  return Array.isArray(list) ? (list as unknown[])[0] : undefined;
}

/** Reports whether the key is an object. */
export function isObject({ inner }: Key): boolean {
  return node(inner).def.type === "object";
}

export function isList({ inner }: Key): boolean {
  return node(inner).def.type === "array";
}

/** Reports whether every stack needs a value for the key. */
export function isRequired({ byDefault, optional }: Key): boolean {
  return byDefault === undefined && !optional;
}

/** Returns the allowed values, in the words of the schema's error message. */
export function allowed({ inner }: Key): string {
  return node(inner).safeParse(Symbol("nothing that is allowed")).error?.issues[0]?.message ?? "";
}

/** Returns the text of docs/configuration.md. */
export async function configurationPage(stack?: string): Promise<string> {
  const all = await keys(stack);
  const top = all.filter((key) => key.path.length === 1);
  const text = [
    "# Configuration",
    "",
    "`npm run docs` generates this page from `config/schema.ts`.",
    "",
    `The keys of a stack file, \`Pulumi.STACK.yaml\`, are in the namespace \`${PREFIX}\`. An invalid configuration is`,
    "rejected before anything is changed, with a message that lists all problems. The column *default* says whether a key",
    "without a default is required or optional. In an optional section, a required key is needed only if the section",
    "is set.",
    "",
    "```sh cloud",
    "pulumi config set --path cluster.nodeCount 3",
    `pulumi config set --secret ${SECRET_KEYS[0]}`,
    "```",
    "",
    ...table(top.filter((key) => !isObject(key))),
    ...top.filter(isObject).flatMap((object) => {
      const inner = all.filter(({ path }) => path.length > 1 && path[0] === object.path[0]);
      const state = isRequired(object) ? "Required." : "Optional.";
      return ["", `## ${name(object)}`, "", `${object.description} ${state}`, "", ...table(inner)];
    }),
  ].join("\n");
  const options = await resolveConfig(CONFIGURATION_PAGE);
  return format(text, { ...options, parser: "markdown" });
}

function table(rows: Key[]): string[] {
  return [
    "| key | description | allowed values | default | example |",
    "| --- | --- | --- | --- | --- |",
    ...rows.map((key) =>
      [
        "",
        `\`${name(key)}\``,
        isSecret(key) ? `${key.description} A secret.` : key.description,
        isObject(key) ? "an object" : allowed(key),
        state(key),
        isObject(key) ? "" : code(key.example),
        "",
      ]
        .map((cell) => cell.replaceAll("|", "\\|"))
        .join(" | ")
        .trim(),
    ),
  ];
}

function state(key: Key): string {
  if (key.byDefault !== undefined) return code(key.byDefault);
  return isRequired(key) ? "required" : "optional";
}

/** Reports whether the key's value is a secret. */
export function isSecret({ path }: Key): boolean {
  return SECRET_KEYS.some((secret) => secret === path[0]);
}

/** Formats a value as in a stack file. */
function code(value: unknown): string {
  if (value === undefined) return "";
  if (typeof value === "string") return `\`${value}\``;
  // YAML 1.1 needs quotes around a time such as 06:00; newer parsers accept them.
  const options = {
    version: "1.1",
    collectionStyle: "flow",
    flowCollectionPadding: false,
    lineWidth: 0,
  } as const;
  return `\`${stringify(value, options).trim()}\``;
}

function name({ path }: Key): string {
  return path.join(".");
}

function field(object: unknown, name: string): unknown {
  return typeof object === "object" && object !== null
    ? (object as Record<string, unknown>)[name]
    : undefined;
}

function node(type: z.core.$ZodType): Node {
  return type as unknown as Node;
}
