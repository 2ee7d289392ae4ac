import { randomBytes } from "node:crypto";
import { ApiError } from "./errors.ts";

/** Returns a new identifier in Grafana's format. */
export function newUid(): string {
  return randomBytes(7).toString("hex");
}

/** Checks an identifier like Grafana 13: 1 to 40 letters, digits, `-` and `_`. @throws ApiError 400 */
export function checkUid(uid: string): void {
  if (uid.length > 40) throw new ApiError(400, "uid too long, max 40 characters");
  if (!/^[\w-]+$/.test(uid)) throw new ApiError(400, "uid contains illegal characters");
}
