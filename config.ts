import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { crossChecks } from "./config/checks.ts";
import type { Problem } from "./config/problems.ts";
import { explain, unknownKey, valueAt } from "./config/problems.ts";
import type { Config } from "./config/schema.ts";
import { schema, SECRET_KEYS } from "./config/schema.ts";
import type { Stack } from "./config/stacks.ts";
import { checkStacks, readStacks } from "./config/stacks.ts";

export type { Config } from "./config/schema.ts";

/** Thrown when the configuration is invalid. The engine shows the message without a stack trace. */
export class ConfigError extends pulumi.RunError {}

/** Secrets of the configuration; absent if not set. */
export type ConfigSecrets = Partial<Record<(typeof SECRET_KEYS)[number], pulumi.Output<string>>>;

/**
 * Returns the stack configuration: the keys in the project's namespace.
 *
 * @throws ConfigError with all problems
 */
export function loadConfig(): Config & ConfigSecrets {
  const all = pulumi.runtime.allConfig();
  const others = readStacks(process.cwd(), pulumi.getProject());
  const stack = { name: pulumi.getStack(), others };
  const own = new pulumi.Config();
  const config = parseConfig(all, own.name, process.env, encryptedKeys(own.name), stack);
  const present = SECRET_KEYS.filter((key) => (all[`${own.name}:${key}`] ?? "") !== "");
  return { ...config, ...Object.fromEntries(present.map((key) => [key, own.requireSecret(key)])) };
}

/**
 * Returns the project's keys that are encrypted in the stack file. The engine lists them in an environment variable.
 */
function encryptedKeys(project: string): string[] {
  const keys = JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]") as string[];
  return keys.filter((key) => key.startsWith(`${project}:`)).map((key) => key.slice(project.length + 1));
}

/**
 * Parses and checks the configuration that the engine passes to the program.
 *
 * @param all values of the stack by namespace and key; structured values as JSON
 * @param project the project's name, which is the namespace of its keys; unknown keys in this namespace are reported as
 * problems
 * @param environment environment variables, which replace `${NAME}` in the value of the key `crds`
 * @param encrypted keys whose values are encrypted in the stack file
 * @param stack name of the stack, and the stacks with a file in the same directory. @default no check against other
 *   stacks
 * @throws ConfigError with all problems
 */
export function parseConfig(
  all: Partial<Record<string, string>>,
  project: string,
  environment: Partial<Record<string, string>>,
  encrypted: readonly string[],
  stack?: { name: string; others: Stack[] },
): Config {
  const raw = ownKeys(all, project);
  const parsed = schema.safeParse(raw);
  const problems = [
    ...(parsed.success ? [] : parsed.error.issues.flatMap((issue) => toProblems(issue, raw))),
    ...crossChecks(raw),
    ...plainSecrets(raw, encrypted),
    ...(stack === undefined ? [] : checkStacks({ name: stack.name, raw }, stack.others)),
    ...missingVariables(raw.crds, environment),
  ];
  if (!parsed.success || problems.length > 0) throw new ConfigError(explain(unique(problems)));
  const plain = Object.entries(parsed.data).filter(([key]) => !isSecret(key));
  return {
    ...(Object.fromEntries(plain) as Config),
    crds: substitute(parsed.data.crds, environment),
  };
}

function isSecret(key: string | undefined): boolean {
  return SECRET_KEYS.some((secret) => secret === key);
}

function plainSecrets(raw: Record<string, unknown>, encrypted: readonly string[]): Problem[] {
  return SECRET_KEYS.filter((key) => raw[key] !== undefined && !encrypted.includes(key)).map((key) => ({
    path: [key],
    value: "[plain text in the stack file]",
    allowed: `an encrypted value: pulumi config set --secret ${key}`,
  }));
}

/**
 * Returns the project's keys with their values. Values are parsed as JSON unless the schema requires a string. Empty
 * values count as missing, because `Pulumi.yaml` has an empty default for each key.
 */
function ownKeys(all: Partial<Record<string, string>>, project: string): Record<string, unknown> {
  const raw: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(all)) {
    if (!key.startsWith(`${project}:`) || value === undefined || value === "") continue;
    const name = key.slice(project.length + 1);
    raw[name] = isString(name) ? value : parsed(value);
  }
  return raw;
}

/** Reports whether the schema requires a string for the key. The engine passes all values as strings. */
function isString(key: string): boolean {
  const type = (schema.shape as Record<string, z.ZodType | undefined>)[key];
  return type?.safeParse("text").error?.issues[0]?.code !== "invalid_type";
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

function toProblems(issue: z.core.$ZodIssue, raw: unknown): Problem[] {
  const path = issue.path.map(String);
  if (issue.code !== "unrecognized_keys") {
    const value = isSecret(path[0]) ? "[secret]" : valueAt(raw, path);
    return [{ path, value, allowed: issue.message }];
  }
  const known = knownKeys(path);
  return issue.keys.map((key) => unknownKey([...path, key], known, valueAt(raw, [...path, key])));
}

/** Returns the keys that the schema has at a path. */
function knownKeys(path: string[]): string[] {
  let at: unknown = schema;
  for (const key of ["", ...path]) {
    if (key !== "") at = (at as { shape?: Record<string, unknown> }).shape?.[key];
    while ((at as { unwrap?: unknown }).unwrap !== undefined) at = (at as { unwrap: () => unknown }).unwrap();
  }
  return Object.keys((at as { shape?: object }).shape ?? {});
}

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

function missingVariables(value: unknown, environment: Partial<Record<string, string>>): Problem[] {
  if (typeof value !== "string") return [];
  const missing = [...value.matchAll(VARIABLE)].filter(([, name = ""]) => (environment[name] ?? "") === "");
  return missing.map(([, name = ""]) => ({
    path: ["crds"],
    value,
    allowed: `a path whose variables are set; ${name} is not in the environment (npm start sets it)`,
  }));
}

function substitute(text: string, environment: Partial<Record<string, string>>): string {
  return text.replaceAll(VARIABLE, (_, name: string) => environment[name] ?? "");
}

function unique(problems: Problem[]): Problem[] {
  const lines = problems.map((problem) => explain([problem]));
  return problems.filter((_, at) => lines.indexOf(lines[at] ?? "") === at);
}
