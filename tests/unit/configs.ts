import { ConfigError, parseConfig } from "../../config.ts";
import { SECRET_KEYS } from "../../config/schema.ts";
import { EXAMPLE, stackConfig } from "./mocks.ts";

export const PROJECT = "k8sfv-metrics";
export const ENVIRONMENT = { K8SFV_CRDS: "/crds" };

/** The example stack's configuration, with changes: an object is merged, undefined takes a key away. */
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

/** JSON in which a bigint is written as a number. */
function json(value: object): string {
  const text = JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? `${part}n` : part));
  return text.replace(/"([0-9]+)n"/g, "$1");
}

/** The push gateway on the internet, all right but for the changes. */
export function external(changes: Record<string, unknown>): Record<string, unknown> {
  const right = { exposure: "external", auth: true, domain: "push.example.com", sourceRanges: "anywhere" };
  return { pushGateway: { ...right, ...changes } };
}

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

/** An SMTP server, all right but for the changes. */
export function smtp(changes: Record<string, unknown>): Record<string, unknown> {
  return { alerts: { smtp: { host: "smtp.example.org:587", from: "ci@example.org", ...changes } } };
}
