/** Returns the message of an error's root cause, because the message of fetch is only "fetch failed". */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause !== undefined) return reason(error.cause);
  const { errors, code } = error as { errors?: unknown[]; code?: unknown };
  if (errors?.[0] !== undefined) return reason(errors[0]);
  const line = error.message.split("\n")[0] ?? "";
  return line === "" ? String(code) : line;
}
