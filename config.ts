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

/** Thrown when the configuration is wrong; the engine shows its message, without a stack trace. */
export class ConfigError extends pulumi.RunError {}

/** The secrets of the configuration, each undefined when it isn't set. */
export type ConfigSecrets = Partial<Record<(typeof SECRET_KEYS)[number], pulumi.Output<string>>>;

/**
 * The stack's configuration: everything under the project's own name, and nothing else.
 *
 * @throws ConfigError that names every problem at once.
 */
export function loadConfig(): Config & ConfigSecrets {
  const all = pulumi.runtime.allConfig();
  const others = readStacks(process.cwd(), pulumi.getProject());
  const stack = { name: pulumi.getStack(), others };
  const own = new pulumi.Config();
  const config = parseConfig(all, own.name, process.env, encryptedKeys(own.name), stack);
  const given = SECRET_KEYS.filter((key) => (all[`${own.name}:${key}`] ?? "") !== "");
  return { ...config, ...Object.fromEntries(given.map((key) => [key, own.requireSecret(key)])) };
}

/** The project's keys that are encrypted in the stack's file, as the engine names them to the SDK. */
function encryptedKeys(project: string): string[] {
  const keys = JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]") as string[];
  return keys.filter((key) => key.startsWith(`${project}:`)).map((key) => key.slice(project.length + 1));
}

/**
 * Checks the engine's flat map of configuration.
 *
 * @param all - every key of the stack with its namespace, structured values as JSON
 * @param project - the namespace of the keys to read; every one of them has to be known
 * @param environment - where `${NAME}` in `crds` comes from
 * @param encrypted - the keys whose values are encrypted in the stack's file
 * @param stack - its name, and the stacks that have a file beside its own
 * @throws ConfigError that names every problem at once.
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
    was: "[plain text in the stack's file]",
    allowed: `an encrypted value: pulumi config set --secret ${key}`,
  }));
}

/** The project's own keys, maps and lists parsed. Values that `Pulumi.yaml` gives as empty count as missing. */
function ownKeys(all: Partial<Record<string, string>>, project: string): Record<string, unknown> {
  const raw: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(all)) {
    if (!key.startsWith(`${project}:`) || value === undefined || value === "") continue;
    const name = key.slice(project.length + 1);
    raw[name] = isText(name) ? value : parsed(value);
  }
  return raw;
}

/** Whether the key's value is a text, and not a map or a list: the engine gives both as text. */
function isText(key: string): boolean {
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
    const was = isSecret(path[0]) ? "[secret]" : valueAt(raw, path);
    return [{ path, was, allowed: issue.message }];
  }
  const known = knownKeys(path);
  return issue.keys.map((key) => unknownKey([...path, key], known, valueAt(raw, [...path, key])));
}

/** The keys that the schema knows at this place. */
function knownKeys(path: string[]): string[] {
  let at: unknown = schema;
  for (const key of ["", ...path]) {
    if (key !== "") at = (at as { shape?: Record<string, unknown> }).shape?.[key];
    while ((at as { unwrap?: unknown }).unwrap !== undefined) at = (at as { unwrap: () => unknown }).unwrap();
  }
  return Object.keys((at as { shape?: object }).shape ?? {});
}

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

function missingVariables(was: unknown, environment: Partial<Record<string, string>>): Problem[] {
  if (typeof was !== "string") return [];
  const missing = [...was.matchAll(VARIABLE)].filter(([, name = ""]) => (environment[name] ?? "") === "");
  return missing.map(([, name = ""]) => ({
    path: ["crds"],
    was,
    allowed: `a place whose variables are set; ${name} is not in the environment (npm start sets it)`,
  }));
}

function substitute(text: string, environment: Partial<Record<string, string>>): string {
  return text.replaceAll(VARIABLE, (_, name: string) => environment[name] ?? "");
}

function unique(problems: Problem[]): Problem[] {
  const lines = problems.map((problem) => explain([problem]));
  return problems.filter((_, at) => lines.indexOf(lines[at] ?? "") === at);
}
