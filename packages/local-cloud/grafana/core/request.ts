import type { Context } from "hono";
import type { z } from "zod";
import { ApiError } from "./errors.ts";

/** Parses the body of a request. @throws ApiError 400 with the problems */
export async function bodyOf<Schema extends z.ZodType>(
  c: Context,
  schema: Schema,
): Promise<z.output<Schema>> {
  const json: unknown = await c.req.json().catch(() => undefined);
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) =>
    `${path.join(".")}: ${message}`.replace(/^: /, ""),
  );
  throw new ApiError(400, "bad request data", { error: problems.join("; ") });
}

/** Returns a parameter of the query string; `otherwise` if it is missing or not a non-negative integer. */
export function numberOf(c: Context, name: string, otherwise: number): number {
  const value = Number(c.req.query(name) ?? NaN);
  return Number.isInteger(value) && value >= 0 ? value : otherwise;
}

/** Returns the current time (UTC, in whole seconds) as the database stores it, like Grafana. */
export function timestamp(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}

/** Converts a title to the last part of a page's URL. The part is for readers only: the server ignores it. */
export function slugOf(title: string): string {
  return title
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
}
