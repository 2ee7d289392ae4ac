import { createHash, createHmac, randomBytes, scryptSync, timingSafeEqual } from "node:crypto";
import type { Database } from "./database.ts";
import { ApiError } from "./errors.ts";
import type { Role, Settings } from "./settings.ts";

/** The user who sends a request. */
export interface Identity {
  /** ID of the account; 0 for an anonymous user. */
  id: number;
  login: string;
  name: string;
  email: string;
  role: Role;
  /** Whether the user may manage accounts. */
  isAdmin: boolean;
  via: "basic" | "session" | "anonymous";
}

interface UserRow {
  id: number;
  login: string;
  name: string;
  email: string;
  password: string;
  role: Role;
  is_admin: number;
  created: string;
  updated: string;
}

/** A login is blocked after this number of wrong passwords within the time below. Both are Grafana's defaults. */
const MAX_ATTEMPTS = 5;
const ATTEMPTS_WINDOW_MS = 5 * 60_000;
/** Maximum lifetime of a session, and maximum time since its last request. Both are Grafana's defaults. */
const SESSION_MS = 30 * 24 * 3600_000;
const SESSION_IDLE_MS = 7 * 24 * 3600_000;
/**
 * Minimum time in ms between two updates of the time of a session's last request (`seen`), because each update waits
 * for the disk.
 */
const SEEN_EVERY_MS = 60_000;
const MIN_PASSWORD = 4;

/** Accounts, their passwords and their sessions. */
export class Accounts {
  /**
   * Cache of verified credentials. Key: a keyed digest (HMAC) of login and password. Value: the account's stored hash that
   * the password matched. Without the cache, each request with basic authentication would need scrypt, which takes 50 ms
   * of a core.
   */
  private readonly verified = new Map<string, string>();
  private readonly key = randomBytes(32);

  constructor(
    private readonly db: Database,
    private readonly settings: Pick<Settings, "bruteForceProtection" | "newUserRole" | "scryptCost">,
  ) {}

  /** Creates the administrator in a new database. Does nothing if the database has an account. */
  createAdmin({ user, password }: Settings["admin"]): void {
    if (this.db.one("SELECT id FROM user LIMIT 1") !== undefined) return;
    this.insert({ login: user, name: "", email: "admin@localhost", password, role: "Admin", isAdmin: true });
  }

  /** Creates an account. @throws ApiError 400 for a short password, 412 if the login or e-mail exists */
  create(user: { login: string; name: string; email: string; password: string }): number {
    checkPassword(user.password);
    const same = this.db.one("SELECT id FROM user WHERE login = ? OR (email <> '' AND email = ?)", [
      user.login,
      user.email,
    ]);
    if (same !== undefined) {
      throw new ApiError(412, `User with email '${user.email}' or username '${user.login}' already exists`);
    }
    return this.insert({ ...user, role: this.settings.newUserRole, isAdmin: false });
  }

  /** Sets a password and ends the account's sessions. @throws ApiError 400 for a short password, 404 for no account */
  setPassword(id: number, password: string): void {
    checkPassword(password);
    const { changes } = this.db.run("UPDATE user SET password = ?, updated = ? WHERE id = ?", [
      hash(password, this.settings.scryptCost),
      new Date().toISOString(),
      id,
    ]);
    if (changes === 0) throw new ApiError(404, "user not found");
    this.db.run("DELETE FROM session WHERE user_id = ?", [id]);
  }

  setRole(id: number, role: Role): void {
    if (this.db.run("UPDATE user SET role = ? WHERE id = ?", [role, id]).changes === 0) {
      throw new ApiError(404, "user not found");
    }
  }

  delete(id: number): void {
    if (this.db.run("DELETE FROM user WHERE id = ?", [id]).changes === 0)
      throw new ApiError(404, "user not found");
  }

  /** Returns all accounts without their passwords. */
  list(): Omit<UserRow, "password">[] {
    return this.db.all(
      "SELECT id, login, name, email, role, is_admin, created, updated FROM user ORDER BY login",
    );
  }

  /** Returns the account with that login or e-mail, without its password. */
  find(loginOrEmail: string): Omit<UserRow, "password"> | undefined {
    return this.list().find(
      ({ login, email }) => login.toLowerCase() === loginOrEmail.toLowerCase() || email === loginOrEmail,
    );
  }

  /** Returns the user with that login or e-mail. @throws ApiError 401 for a wrong password or a blocked login */
  verify(login: string, password: string, via: "basic" | "session"): Identity {
    const wrong = new ApiError(401, "Invalid username or password", {
      extra: null,
      messageId: "password-auth.failed",
      statusCode: 401,
      traceID: "",
    });
    const user = this.db.one<UserRow>("SELECT * FROM user WHERE login = ? OR (email <> '' AND email = ?)", [
      login,
      login,
    ]);
    if (this.isBlocked(login)) throw wrong;
    if (!this.matches(login, password, user?.password)) {
      this.db.run("INSERT INTO login_attempt VALUES (?, ?)", [login, Date.now()]);
      throw wrong;
    }
    return identity(user as UserRow, via);
  }

  /** Opens a session. @returns the value of its cookie */
  openSession(userId: number): string {
    const token = randomBytes(32).toString("base64url");
    const now = Date.now();
    this.db.run("DELETE FROM session WHERE created < ? OR seen < ?", [
      now - SESSION_MS,
      now - SESSION_IDLE_MS,
    ]);
    this.db.run("INSERT INTO session VALUES (?, ?, ?, ?)", [digest(token), userId, now, now]);
    return token;
  }

  /** Returns the user of a session, or undefined if the session has ended. */
  ofSession(token: string): Identity | undefined {
    const now = Date.now();
    const user = this.db.one<UserRow & { seen: number }>(
      `SELECT user.*, seen FROM session JOIN user ON user.id = user_id
       WHERE token_hash = ? AND session.created > ? AND seen > ?`,
      [digest(token), now - SESSION_MS, now - SESSION_IDLE_MS],
    );
    if (user === undefined) return undefined;
    if (user.seen < now - SEEN_EVERY_MS) {
      this.db.run("UPDATE session SET seen = ? WHERE token_hash = ?", [now, digest(token)]);
    }
    return identity(user, "session");
  }

  closeSession(token: string): void {
    this.db.run("DELETE FROM session WHERE token_hash = ?", [digest(token)]);
  }

  private insert(user: {
    login: string;
    name: string;
    email: string;
    password: string;
    role: Role;
    isAdmin: boolean;
  }): number {
    const now = new Date().toISOString();
    return this.db.run(
      `INSERT INTO user (login, name, email, password, role, is_admin, created, updated)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        user.login,
        user.name,
        user.email,
        hash(user.password, this.settings.scryptCost),
        user.role,
        user.isAdmin ? 1 : 0,
        now,
        now,
      ],
    ).id;
  }

  private isBlocked(login: string): boolean {
    if (!this.settings.bruteForceProtection) return false;
    const since = Date.now() - ATTEMPTS_WINDOW_MS;
    const found = this.db.one<{ n: number }>(
      "SELECT count(*) AS n FROM login_attempt WHERE login = ? AND at > ?",
      [login, since],
    );
    return (found?.n ?? 0) >= MAX_ATTEMPTS;
  }

  private matches(login: string, password: string, stored: string | undefined): boolean {
    const credentials = createHmac("sha256", this.key).update(`${login}\0${password}`).digest("base64");
    if (stored !== undefined && this.verified.get(credentials) === stored) return true;
    // The check of an unknown login must take as long as that of a wrong password. Otherwise, response times would
    // reveal which logins exist.
    const right = isHashOf(password, stored ?? UNKNOWN, this.settings.scryptCost) && stored !== undefined;
    if (right) {
      if (this.verified.size >= 1000) this.verified.clear();
      this.verified.set(credentials, stored);
      this.db.run("DELETE FROM login_attempt WHERE login = ? OR at < ?", [
        login,
        Date.now() - ATTEMPTS_WINDOW_MS,
      ]);
    }
    return right;
  }
}

/** A hash that no password matches. */
const UNKNOWN = formatHash(randomBytes(16), randomBytes(32));

function identity({ id, login, name, email, role, is_admin }: UserRow, via: Identity["via"]): Identity {
  return { id, login, name, email, role, isAdmin: is_admin === 1, via };
}

function checkPassword(password: string): void {
  if (password.length < MIN_PASSWORD) throw new ApiError(400, "new password is too short");
}

function hash(password: string, cost: number): string {
  const salt = randomBytes(16);
  return formatHash(salt, scryptSync(password, salt, 32, { cost }));
}

function formatHash(salt: Buffer, key: Buffer): string {
  return `scrypt$${salt.toString("base64")}$${key.toString("base64")}`;
}

function isHashOf(password: string, stored: string, cost: number): boolean {
  const [, salt = "", key = ""] = stored.split("$");
  const expected = Buffer.from(key, "base64");
  const actual = scryptSync(password, Buffer.from(salt, "base64"), expected.length, { cost });
  return timingSafeEqual(actual, expected);
}

function digest(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}
