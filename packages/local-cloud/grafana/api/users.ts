import { Hono } from "hono";
import { z } from "zod";
import type { Accounts } from "../core/accounts.ts";
import { needsAdmin, type Env } from "../core/auth.ts";
import { ApiError } from "../core/errors.ts";
import { bodyOf } from "../core/request.ts";
import { ROLES } from "../core/settings.ts";

const NewUser = z.object({
  login: z.string().default(""),
  email: z.string().default(""),
  name: z.string().default(""),
  password: z.string(),
});
const Password = z.object({ password: z.string() });
const OwnPassword = z.object({ oldPassword: z.string(), newPassword: z.string() });
const NewRole = z.object({ role: z.enum(ROLES) });

type User = ReturnType<Accounts["list"]>[number];

/** Returns the routes for user accounts: `/api/user`, `/api/users`, `/api/admin/users` and `/api/org/users`. */
export function userApi(accounts: Accounts): Hono<Env> {
  const api = new Hono<Env>();

  api.get("/user", (c) => {
    const { id, login, name, email, isAdmin, via } = c.get("user");
    if (via === "anonymous") throw new ApiError(401, "Unauthorized");
    return c.json({
      id,
      login,
      name,
      email,
      orgId: 1,
      isGrafanaAdmin: isAdmin,
      theme: "",
      isDisabled: false,
    });
  });
  api.put("/user/password", async (c) => {
    const { id, login, via } = c.get("user");
    if (via === "anonymous") throw new ApiError(401, "Unauthorized");
    const { oldPassword, newPassword } = await bodyOf(c, OwnPassword);
    accounts.verify(login, oldPassword, "basic");
    accounts.setPassword(id, newPassword);
    return c.json({ message: "User password changed" });
  });
  api.get("/users", needsAdmin("users:read"), (c) => c.json(accounts.list().map(viewOf)));
  api.get("/users/lookup", needsAdmin("users:read"), (c) => {
    const user = accounts.find(c.req.query("loginOrEmail") ?? "");
    if (user === undefined) throw new ApiError(404, "user not found");
    return c.json({ ...viewOf(user), orgId: 1, theme: "", isGrafanaAdmin: user.is_admin === 1 });
  });
  api.post("/admin/users", needsAdmin("users:create"), async (c) => {
    const { login, email, name, password } = await bodyOf(c, NewUser);
    if (login === "" && email === "")
      throw new ApiError(400, "Validation error, need specify either username or email");
    const id = accounts.create({ login: login === "" ? email : login, email, name, password });
    return c.json({ id, message: "User created" });
  });
  api.put("/admin/users/:id{[0-9]+}/password", needsAdmin("users.password:write"), async (c) => {
    accounts.setPassword(Number(c.req.param("id")), (await bodyOf(c, Password)).password);
    return c.json({ message: "User password updated" });
  });
  api.delete("/admin/users/:id{[0-9]+}", needsAdmin("users:delete"), (c) => {
    accounts.delete(Number(c.req.param("id")));
    return c.json({ message: "User deleted" });
  });
  api.patch("/org/users/:id{[0-9]+}", needsAdmin("org.users:write"), async (c) => {
    accounts.setRole(Number(c.req.param("id")), (await bodyOf(c, NewRole)).role);
    return c.json({ message: "Organization user updated" });
  });
  return api;
}

function viewOf({ id, login, name, email, role, is_admin, created, updated }: User): Record<string, unknown> {
  return {
    id,
    login,
    name,
    email,
    role,
    isAdmin: is_admin === 1,
    isDisabled: false,
    createdAt: created,
    updatedAt: updated,
  };
}
