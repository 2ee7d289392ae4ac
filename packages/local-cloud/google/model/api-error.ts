/** An error of the emulated API, with the message that the real provider prints. */
export class ApiError extends Error {
  /**
   * @param code HTTP status
   * @param text Google's message
   * @param reason Google's error reason, e.g. `invalid`
   * @param details Google's structured details; the real provider prints them as JSON with sorted keys
   */
  constructor(
    readonly code: number,
    readonly text: string,
    readonly reason: string,
    details: readonly object[] = [],
  ) {
    const more = details.length > 0 ? `\nDetails:\n${JSON.stringify(details, undefined, 2)}\n` : "";
    super(`googleapi: Error ${code}: ${text}${more}, ${reason}`);
    this.name = "ApiError";
  }
}

/** Error for a resource that already exists. */
export function alreadyExists(path: string): ApiError {
  return new ApiError(409, `The resource '${path}' already exists`, "alreadyExists");
}

/** Error for a missing resource. */
export function notFound(path: string): ApiError {
  return new ApiError(404, `The resource '${path}' was not found`, "notFound");
}

/** Error for the deletion of a resource in use. `kind` is e.g. `network`. */
export function inUse(kind: string, path: string, user: string): ApiError {
  const text = `The ${kind} resource '${path}' is already being used by '${user}'`;
  return new ApiError(400, text, "resourceInUseByAnotherResource");
}

/** Error for an invalid field; `field` is the API's name, e.g. `resource.name`. */
export function invalidField(field: string, value: string, why: string): ApiError {
  return new ApiError(400, invalidFieldText(field, value, why), "invalid");
}

/**
 * Returns the text of {@link invalidField} without the HTTP status and the error reason `invalid`. Checks that precede
 * an API request use it.
 */
export function invalidFieldText(field: string, value: string, why: string): string {
  return `Invalid value for field '${field}': '${value}'. ${why}`;
}
