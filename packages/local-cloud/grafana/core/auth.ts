import type { Context, MiddlewareHandler } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { Accounts, Identity } from "./accounts.ts";
import { ApiError } from "./errors.ts";
import { ROLES, type Role, type Settings } from "./settings.ts";

/** Variables that {@link authenticate} sets for each request. */
export interface Env {
  Variables: { user: Identity };
}

const COOKIE = "grafana_session";
const COOKIE_SECONDS = 30 * 24 * 3600;

/** Returns a middleware that authenticates requests. It throws ApiError 401 if a request has no valid credentials. */
export function authenticate(accounts: Accounts, settings: Settings): MiddlewareHandler<Env> {
  return async (c, next) => {
    const user = identify(c, accounts, settings);
    if (user === undefined) {
      throw new ApiError(401, "Unauthorized", {
        extra: null,
        messageId: "auth.unauthorized",
        statusCode: 401,
        traceID: "",
      });
    }
    if (user.via === "session") checkOrigin(c);
    c.set("user", user);
    await next();
  };
}

/** Opens a session and sets its cookie. @throws ApiError 401 for a wrong password or a blocked login */
export function logIn(
  c: Context,
  accounts: Accounts,
  { cookie }: Settings,
  login: string,
  password: string,
): void {
  const user = accounts.verify(login, password, "session");
  setCookie(c, COOKIE, accounts.openSession(user.id), {
    path: "/",
    httpOnly: true,
    secure: cookie.secure,
    sameSite: cookie.sameSite,
    maxAge: COOKIE_SECONDS,
  });
}

/** Ends the session of a request, if it has one. */
export function logOut(c: Context, accounts: Accounts): void {
  const token = getCookie(c, COOKIE);
  if (token !== undefined) accounts.closeSession(token);
  deleteCookie(c, COOKIE, { path: "/" });
}

/**
 * Returns a middleware that requires a role.
 *
 * @param permission name of the permission in Grafana's error message
 */
export function needs(role: Role, permission: string): MiddlewareHandler<Env> {
  return allow(permission, (user) => ROLES.indexOf(user.role) >= ROLES.indexOf(role));
}

/**
 * Returns a middleware that requires a server administrator, who may manage accounts. Grafana's error message names
 * `permission`.
 */
export function needsAdmin(permission: string): MiddlewareHandler<Env> {
  return allow(permission, (user) => user.isAdmin);
}

function allow(permission: string, isAllowed: (user: Identity) => boolean): MiddlewareHandler<Env> {
  return async (c, next) => {
    if (!isAllowed(c.get("user"))) throw forbidden(permission);
    await next();
  };
}

/** Returns the error for a user without a permission. */
export function forbidden(permission: string): ApiError {
  return new ApiError(
    403,
    `You'll need additional permissions to perform this action. Permissions needed: ${permission}`,
    {
      accessErrorId: "ACE0000000000",
      title: "Access denied",
    },
  );
}

function identify(c: Context, accounts: Accounts, settings: Settings): Identity | undefined {
  const [scheme = "", credentials = ""] = (c.req.header("Authorization") ?? "").split(" ");
  if (scheme.toLowerCase() === "basic" && settings.basicAuth) {
    const [login = "", ...rest] = Buffer.from(credentials, "base64").toString().split(":");
    return accounts.verify(login, rest.join(":"), "basic");
  }
  // Service accounts and their tokens are not supported by the stand-in.
  if (scheme !== "")
    throw new ApiError(401, "Invalid API key", { messageId: "api-key.invalid", statusCode: 401 });
  const token = getCookie(c, COOKIE);
  const user = token === undefined ? undefined : accounts.ofSession(token);
  if (user !== undefined) return user;
  if (settings.anonymousRole === undefined) return undefined;
  return {
    id: 0,
    login: "",
    name: "",
    email: "",
    role: settings.anonymousRole,
    isAdmin: false,
    via: "anonymous",
  };
}

/**
 * Rejects requests that change data and come from another site's page (CSRF). Such a page can make a browser send the
 * session's cookie, but the browser also sends the page's origin.
 */
function checkOrigin(c: Context): void {
  const origin = c.req.header("Origin");
  if (origin === undefined || ["GET", "HEAD", "OPTIONS"].includes(c.req.method)) return;
  if (!URL.canParse(origin) || new URL(origin).host !== c.req.header("Host")) {
    throw new ApiError(403, "origin not allowed");
  }
}
