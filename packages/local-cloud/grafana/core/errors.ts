import type { ContentfulStatusCode } from "hono/utils/http-status";

/** An error that a client gets as JSON, with Grafana's message. */
export class ApiError extends Error {
  constructor(
    readonly status: ContentfulStatusCode,
    message: string,
    /** Additional fields of the body. */
    readonly more: Record<string, unknown> = {},
  ) {
    super(message);
  }

  get body(): Record<string, unknown> {
    return { message: this.message, ...this.more };
  }
}

/** Returns the error for a missing object. `status` is a field of Grafana's responses for folders and dashboards. */
export function notFound(message: string): ApiError {
  return new ApiError(404, message, { status: "not-found" });
}
