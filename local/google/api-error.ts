/** A refusal of the emulated API, in the form in which the real provider prints Google's. */
export class ApiError extends Error {
  /**
   * @param code HTTP status
   * @param text what Google says
   * @param reason Google's word for the kind of error, e.g. `invalid`
   * @param details what Google adds for programs; the real provider prints it as JSON, keys sorted
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

/** A name that is taken. */
export function alreadyExists(path: string): ApiError {
  return new ApiError(409, `The resource '${path}' already exists`, "alreadyExists");
}

/** Something that is referred to, but is not there. */
export function notFound(path: string): ApiError {
  return new ApiError(404, `The resource '${path}' was not found`, "notFound");
}

/** Something that is to be deleted, but in use. `kind` is e.g. `network`. */
export function inUse(kind: string, path: string, user: string): ApiError {
  const text = `The ${kind} resource '${path}' is already being used by '${user}'`;
  return new ApiError(400, text, "resourceInUseByAnotherResource");
}

/** A field that Google refuses; `field` as in its API, e.g. `resource.name`. */
export function invalidField(field: string, value: string, why: string): ApiError {
  return new ApiError(400, invalidFieldText(field, value, why), "invalid");
}

/** The words of {@link invalidField} alone, for what is refused before anything is asked of the API. */
export function invalidFieldText(field: string, value: string, why: string): string {
  return `Invalid value for field '${field}': '${value}'. ${why}`;
}
