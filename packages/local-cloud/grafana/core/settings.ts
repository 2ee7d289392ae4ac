import path from "node:path";
import { z } from "zod";

/** Roles of an organization, from the fewest to the most permissions. */
export const ROLES = ["Viewer", "Editor", "Admin"] as const;
export type Role = (typeof ROLES)[number];

/** Settings of the server. */
export interface Settings {
  /** Directory of the database. */
  dataDir: string;
  /** Address to listen on. @default all */
  host: string | undefined;
  /** Port to listen on; 0 selects a free one. */
  port: number;
  /** URL of the server in browsers. */
  rootUrl: string;
  /** Directory with `build/`, which contains the pages. */
  staticRoot: string;
  /** Administrator of a new database; ignored if the database has an account. */
  admin: { user: string; password: string };
  cookie: { secure: boolean; sameSite: "Strict" | "Lax" | "None" | undefined };
  /** Role of requests without credentials; undefined rejects them. */
  anonymousRole: Role | undefined;
  /** Hides the version in `/api/health`. */
  hideVersion: boolean;
  basicAuth: boolean;
  /** Whether a login is blocked while it has 5 or more wrong passwords within the last 5 minutes. */
  bruteForceProtection: boolean;
  /** Cost parameter N of scrypt for passwords. All servers of one database need the same value. */
  scryptCost: number;
  /** Role of a new account. */
  newUserRole: Role;
  /** `GF_…` variables that are set but not supported by this server. */
  ignored: string[];
}

const flag = (byDefault: boolean) =>
  z
    .enum(["true", "false"])
    .default(byDefault ? "true" : "false")
    .transform((text) => text === "true");

const variables = z.object({
  GF_PATHS_DATA: z.string().default("/var/lib/grafana"),
  GF_SERVER_HTTP_ADDR: z.string().default(""),
  GF_SERVER_HTTP_PORT: z.coerce.number().int().min(0).max(65535).default(3000),
  GF_SERVER_ROOT_URL: z.url().optional(),
  GF_SERVER_STATIC_ROOT_PATH: z.string().default("public"),
  GF_SECURITY_ADMIN_USER: z.string().min(1).default("admin"),
  GF_SECURITY_ADMIN_PASSWORD: z.string().min(1).default("admin"),
  GF_SECURITY_COOKIE_SECURE: flag(false),
  GF_SECURITY_COOKIE_SAMESITE: z.enum(["strict", "lax", "none", "disabled"]).default("lax"),
  GF_SECURITY_DISABLE_BRUTE_FORCE_LOGIN_PROTECTION: flag(false),
  GF_AUTH_BASIC_ENABLED: flag(true),
  GF_AUTH_ANONYMOUS_ENABLED: flag(false),
  GF_AUTH_ANONYMOUS_ORG_ROLE: z.enum(ROLES).default("Viewer"),
  GF_AUTH_ANONYMOUS_HIDE_VERSION: flag(false),
  GF_USERS_AUTO_ASSIGN_ORG_ROLE: z.enum(ROLES).default("Viewer"),
});

const SAME_SITE = { strict: "Strict", lax: "Lax", none: "None", disabled: undefined } as const;

/**
 * Reads Grafana's settings from the environment, `GF_<SECTION>_<KEY>`.
 *
 * @param home directory to which a relative GF_SERVER_STATIC_ROOT_PATH refers
 * @throws Error that lists all variables with invalid values
 */
export function readSettings(environment: Record<string, string | undefined>, home: string): Settings {
  const parsed = variables.safeParse(environment);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
    throw new Error(`The environment has invalid settings. ${problems.join("; ")}`);
  }
  const set = parsed.data;
  return {
    dataDir: set.GF_PATHS_DATA,
    host: set.GF_SERVER_HTTP_ADDR === "" ? undefined : set.GF_SERVER_HTTP_ADDR,
    port: set.GF_SERVER_HTTP_PORT,
    rootUrl: set.GF_SERVER_ROOT_URL ?? `http://localhost:${set.GF_SERVER_HTTP_PORT}`,
    staticRoot: path.resolve(home, set.GF_SERVER_STATIC_ROOT_PATH),
    admin: { user: set.GF_SECURITY_ADMIN_USER, password: set.GF_SECURITY_ADMIN_PASSWORD },
    cookie: {
      secure: set.GF_SECURITY_COOKIE_SECURE,
      sameSite: SAME_SITE[set.GF_SECURITY_COOKIE_SAMESITE],
    },
    anonymousRole: set.GF_AUTH_ANONYMOUS_ENABLED ? set.GF_AUTH_ANONYMOUS_ORG_ROLE : undefined,
    hideVersion: set.GF_AUTH_ANONYMOUS_HIDE_VERSION,
    basicAuth: set.GF_AUTH_BASIC_ENABLED,
    bruteForceProtection: !set.GF_SECURITY_DISABLE_BRUTE_FORCE_LOGIN_PROTECTION,
    // Node's default. To hash or verify a password takes 50 ms of CPU time.
    scryptCost: 2 ** 14,
    newUserRole: set.GF_USERS_AUTO_ASSIGN_ORG_ROLE,
    ignored: Object.keys(environment).filter((name) => name.startsWith("GF_") && !(name in variables.shape)),
  };
}
