/** A refusal of the emulated API, in the form in which the real provider prints Google's. */
export class ApiError extends Error {
  /**
   * @param code HTTP status
   * @param text what Google says
   * @param reason Google's word for the kind of error, e.g. `invalid`
   */
  constructor(
    readonly code: number,
    readonly text: string,
    readonly reason: string,
  ) {
    super(`googleapi: Error ${code}: ${text}, ${reason}`);
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
