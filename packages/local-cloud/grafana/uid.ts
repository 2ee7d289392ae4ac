import { randomBytes } from "node:crypto";
import { ApiError } from "./errors.ts";

/** A new identifier in the form of Grafana's. */
export function newUid(): string {
  return randomBytes(7).toString("hex");
}

/** Refuses an identifier that Grafana 13 refuses: 1 to 40 letters, digits, `-` and `_`. @throws ApiError 400 */
export function checkUid(uid: string): void {
  if (uid.length > 40) throw new ApiError(400, "uid too long, max 40 characters");
  if (!/^[\w-]+$/.test(uid)) throw new ApiError(400, "uid contains illegal characters");
}
