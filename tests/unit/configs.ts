import { expect, test } from "vitest";
import { ConfigError, parseConfig } from "../../config.ts";
import { SECRET_KEYS } from "../../config/schema.ts";
import { EXAMPLE, stackConfig } from "./mocks.ts";

export const PROJECT = "k8sfv-metrics";
export const ENVIRONMENT = { K8SFV_CRDS: "/crds" };

/**
 * Returns the example stack's configuration with changes by key. An object is merged into the existing
 * object; undefined removes the key.
 */
export function changed(changes: Record<string, unknown>): Record<string, string> {
  const all = stackConfig(EXAMPLE);
  for (const [key, value] of Object.entries(changes)) {
    const full = `${PROJECT}:${key}`;
    if (value === undefined) {
      all[full] = "";
    } else if (typeof value === "object" && !Array.isArray(value)) {
      all[full] = json({ ...(JSON.parse(all[full] ?? "{}") as object), ...value });
    } else {
      all[full] = typeof value === "string" ? value : JSON.stringify(value);
    }
  }
  return all;
}

/** Formats an object as JSON, with each bigint as a number. JSON.stringify alone throws an error for a bigint. */
function json(value: object): string {
  const text = JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? `${part}n` : part));
  return text.replace(/"([0-9]+)n"/g, "$1");
}

/** Returns a valid configuration of an external Pushgateway, with changes. */
export function external(changes: Record<string, unknown>): Record<string, unknown> {
  const valid = { exposure: "external", auth: true, domain: "push.example.com", sourceRanges: "anywhere" };
  return { pushGateway: { ...valid, ...changes } };
}

/**
 * Returns the error message for the example stack's configuration with changes, or "no problem".
 *
 * @param encrypted - keys whose values are encrypted in the stack file. Default: all secret keys
 */
export function messageFor(
  changes: Record<string, unknown>,
  encrypted: readonly string[] = SECRET_KEYS,
): string {
  try {
    parseConfig(changed(changes), PROJECT, ENVIRONMENT, encrypted);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "no problem";
}

/** Returns a valid configuration of a mail server, with changes. */
export function smtp(changes: Record<string, unknown>): Record<string, unknown> {
  return { alerts: { smtp: { host: "smtp.example.org:587", from: "ci@example.org", ...changes } } };
}

/** Defines a test for each row: what is wrong, the changes to the example stack, and a part of the error message. */
export function testRejections(
  ...rows: [what: string, changes: Record<string, unknown>, expected: string][]
): void {
  test.each(rows)("rejects %s", (_, changes, expected) => {
    expect(messageFor(changes)).toContain(expected);
  });
}
