import type { Failure } from "../plugin.ts";
import { isKnown, isValues, UNKNOWN, type Value, type Values } from "../values.ts";
import { isInput, type Argument, type Block } from "./argument.ts";

/** Location of a value in a resource's arguments. */
export interface Location {
  /** Path in the notation that Pulumi and Google's API use, e.g. `rules[0].match`. */
  readonly pulumi: string;
  /** Path in the provider's notation, e.g. `rule.0.match`. */
  readonly terraform: string;
}

/** Returns the problem of a known value, or undefined. */
export type Check = (value: Value, at: Location) => string | undefined;

/**
 * Checks of values, by path without indexes, e.g. `secondaryIpRanges.rangeName`. For a list of scalars, the check gets
 * each item.
 */
export type Checks = Readonly<Record<string, Check>>;

/**
 * Validates arguments against the schema and the checks. The messages are those of the real provider. Unknown values
 * are accepted.
 */
export function validate(schema: Block, checks: Checks, inputs: Values): Failure[] {
  const look = (path: string): Value | undefined => find(schema, inputs, path.split(".0."));
  const isSet = (path: string): boolean => look(path) !== undefined;
  const isKnownToBeSet = (path: string): boolean => isSet(path) && look(path) !== UNKNOWN;
  const context = { checks, isSet, isKnownToBeSet };
  return [...validateBlock(schema, inputs, { pulumi: "", terraform: "" }, context)];
}

/** The checks of a resource type, and functions that report whether the argument at a Terraform path is set. */
interface Context {
  readonly checks: Checks;
  readonly isSet: (path: string) => boolean;
  readonly isKnownToBeSet: (path: string) => boolean;
}

function* validateBlock(block: Block, values: Values, at: Location, context: Context): Generator<Failure> {
  for (const name of Object.keys(values)) {
    if (block[name] !== undefined || name.startsWith("__") || values[name] === undefined) continue;
    const own = below(at, name, name);
    yield failure(own, `Invalid or unknown key: "${own.pulumi}"`);
  }
  for (const [name, argument] of Object.entries(block)) {
    const own = below(at, name, argument.terraformName);
    const value = values[name];
    yield* validateGroups(argument, own, context);
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
      yield* validateValue(argument, value, own, context);
    }
  }
}

/** Validates groups of arguments of which a certain number must be set. */
function* validateGroups(argument: Argument, at: Location, context: Context): Generator<Failure> {
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

/**
 * Returns the value at a path of Terraform names. The blocks on the path have at most one item, so they are objects in
 * Pulumi's arguments.
 */
function find(block: Block, values: Values, [name, ...rest]: string[]): Value | undefined {
  const [own = "", argument] = Object.entries(block).find(([, one]) => one.terraformName === name) ?? [];
  const value = values[own];
  if (rest.length === 0 || value === UNKNOWN) return value;
  return isValues(value) ? find(argument?.arguments ?? {}, value, rest) : undefined;
}

function* validateValue(
  argument: Argument,
  value: Value,
  at: Location,
  context: Context,
): Generator<Failure> {
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
    if (inner !== undefined && isValues(item)) yield* validateBlock(inner, item, own, context);
  }
  const check = context.checks[at.pulumi.replace(/\[\d+\]/g, "")];
  const checked = Array.isArray(value) && inner === undefined ? items : [{ item: value, at }];
  for (const { item, at: own } of checked) {
    const reason = isKnown(item) ? check?.(item, own) : undefined;
    if (reason !== undefined) yield failure(own, reason);
  }
}

/** Reports whether the value has the argument's type. Numbers and booleans can be strings, and vice versa. */
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

/**
 * Returns a failure that names the top-level argument. The engine prints the value of the named argument, and finds
 * only top-level arguments.
 */
function failure({ pulumi }: Location, reason: string): Failure {
  return { property: pulumi.split(/[.[]/)[0] ?? pulumi, reason };
}
