import type { Failure } from "../plugin.ts";
import { isKnown, isValues, UNKNOWN, type Value, type Values } from "../values.ts";
import { isInput, type Argument, type Block } from "./argument.ts";

/** Where a value is in a resource's arguments. */
export interface Location {
  /** As Pulumi and Google's API write it, e.g. `rules[0].match`. */
  readonly pulumi: string;
  /** As the provider prints it, e.g. `rule.0.match`. */
  readonly terraform: string;
}

/** Returns what is wrong with a known value, or undefined. */
export type Check = (value: Value, at: Location) => string | undefined;

/** Checks by path without indexes, e.g. `secondaryIpRanges.rangeName`. A check of a list of scalars gets each item. */
export type Checks = Readonly<Record<string, Check>>;

/** Returns what the schema and the checks refuse, in the provider's words. Values that are not known yet pass. */
export function refuse(schema: Block, checks: Checks, inputs: Values): Failure[] {
  const look = (path: string): Value | undefined => find(schema, inputs, path.split(".0."));
  const isSet = (path: string): boolean => look(path) !== undefined;
  const isKnownToBeSet = (path: string): boolean => isSet(path) && look(path) !== UNKNOWN;
  const context = { checks, isSet, isKnownToBeSet };
  return [...refuseBlock(schema, inputs, { pulumi: "", terraform: "" }, context)];
}

/** The checks of a type, and which of all its arguments are given, by Terraform path. */
interface Context {
  readonly checks: Checks;
  readonly isSet: (path: string) => boolean;
  readonly isKnownToBeSet: (path: string) => boolean;
}

function* refuseBlock(block: Block, values: Values, at: Location, context: Context): Generator<Failure> {
  for (const name of Object.keys(values)) {
    if (block[name] !== undefined || name.startsWith("__") || values[name] === undefined) continue;
    const own = below(at, name, name);
    yield failure(own, `Invalid or unknown key: "${own.pulumi}"`);
  }
  for (const [name, argument] of Object.entries(block)) {
    const own = below(at, name, argument.terraformName);
    const value = values[name];
    yield* refuseGroups(argument, own, context);
    if (value === undefined) {
      if (!argument.required) continue;
      const reason = `The argument "${own.terraform}" is required, but no definition was found.`;
      yield failure(own, `Missing required argument: ${reason}`);
    } else if (!isInput(argument)) {
      const why =
        "its value will be decided automatically based on the result of applying this configuration";
      const reason = `Can't configure a value for "${own.terraform}": ${why}.`;
      yield failure(own, `Value for unconfigurable attribute: ${reason}`);
    } else if (value !== UNKNOWN) {
      const other = argument.conflictsWith?.find(context.isKnownToBeSet);
      const reason = `"${own.terraform}": conflicts with ${other}`;
      if (other !== undefined) yield failure(own, `Conflicting configuration arguments: ${reason}`);
      yield* refuseValue(argument, value, own, context);
    }
  }
}

/** Refuses groups of arguments of which others have to be given, or fewer. */
function* refuseGroups(argument: Argument, at: Location, context: Context): Generator<Failure> {
  const { isSet, isKnownToBeSet } = context;
  const { exactlyOneOf: exactly = [], atLeastOneOf: least = [], requiredWith: all = [] } = argument;
  const given = exactly.filter(isKnownToBeSet);
  const fail = (summary: string, reason: string): Failure =>
    failure(at, `${summary}: "${at.terraform}": ${reason}`);
  if (given.length > 1) {
    const reason = `only one of \`${exactly.join(",")}\` can be specified, but \`${given.join(",")}\` were specified.`;
    yield fail("Invalid combination of arguments", reason);
  } else if (exactly.length > 0 && !exactly.some(isSet)) {
    yield fail("Invalid combination of arguments", `one of \`${exactly.join(",")}\` must be specified`);
  }
  if (least.length > 0 && !least.some(isSet)) {
    yield fail("Missing required argument", `one of \`${least.join(",")}\` must be specified`);
  }
  if (isSet(at.terraform) && !all.every(isSet)) {
    yield fail("Missing required argument", `all of \`${all.join(",")}\` must be specified`);
  }
}

/** The value at a path of Terraform names through blocks of at most one item. */
function find(block: Block, values: Values, [name, ...rest]: string[]): Value | undefined {
  const [own = "", argument] = Object.entries(block).find(([, one]) => one.terraformName === name) ?? [];
  const value = values[own];
  if (rest.length === 0 || value === UNKNOWN) return value;
  return isValues(value) ? find(argument?.arguments ?? {}, value, rest) : undefined;
}

function* refuseValue(argument: Argument, value: Value, at: Location, context: Context): Generator<Failure> {
  if (!hasType(argument, value)) {
    yield failure(at, `Incorrect attribute value type: "${at.terraform}" can't be ${JSON.stringify(value)}.`);
    return;
  }
  const { arguments: inner, minItems = 0, maxItems = Infinity } = argument;
  const items = Array.isArray(value)
    ? value.map((item, n) => ({ item, at: itemOf(at, n) }))
    : [{ item: value, at: { ...at, terraform: `${at.terraform}.0` } }];
  if (items.length < minItems) {
    const reason = `Attribute requires ${minItems} item minimum, but config has only ${items.length} declared.`;
    yield failure(at, `Not enough list items: ${at.terraform}: ${reason}`);
  } else if (items.length > maxItems) {
    const reason = `Attribute supports ${maxItems} item maximum, but config has ${items.length} declared.`;
    yield failure(at, `Too many list items: ${at.terraform}: ${reason}`);
  }
  for (const { item, at: own } of items) {
    if (inner !== undefined && isValues(item)) yield* refuseBlock(inner, item, own, context);
  }
  const check = context.checks[at.pulumi.replace(/\[\d+\]/g, "")];
  const checked = Array.isArray(value) && inner === undefined ? items : [{ item: value, at }];
  for (const { item, at: own } of checked) {
    const reason = isKnown(item) ? check?.(item, own) : undefined;
    if (reason !== undefined) yield failure(own, reason);
  }
}

/** Whether the value has the argument's type. Numbers and booleans may be strings, and strings numbers or booleans. */
function hasType(argument: Argument, value: Value): boolean {
  const { type, arguments: inner, maxItems } = argument;
  if (maxItems === 1) return inner === undefined ? typeof value !== "object" : isValues(value);
  if (type === "TypeList" || type === "TypeSet") {
    return (
      Array.isArray(value) && (inner === undefined || value.every((one) => one === UNKNOWN || isValues(one)))
    );
  }
  if (type === "TypeMap") return isValues(value);
  if (type === "TypeBool") return typeof value === "boolean" || value === "true" || value === "false";
  if (type === "TypeString") return typeof value !== "object";
  return typeof value === "number" || (typeof value === "string" && value !== "" && !isNaN(Number(value)));
}

function below({ pulumi, terraform }: Location, name: string, terraformName: string): Location {
  if (pulumi === "") return { pulumi: name, terraform: terraformName };
  return { pulumi: `${pulumi}.${name}`, terraform: `${terraform}.${terraformName}` };
}

function itemOf(at: Location, n: number): Location {
  return { pulumi: `${at.pulumi}[${n}]`, terraform: `${at.terraform}.${n}` };
}

/** A failure of the argument at the top of the path, which is where the engine looks for the value. */
function failure({ pulumi }: Location, reason: string): Failure {
  return { property: pulumi.split(/[.[]/)[0] ?? pulumi, reason };
}
