import type { ContentfulStatusCode } from "hono/utils/http-status";

/** An error that a client gets as JSON, with Grafana's words. */
export class ApiError extends Error {
  constructor(
    readonly status: ContentfulStatusCode,
    message: string,
    /** Other fields of the body. */
    readonly more: Record<string, unknown> = {},
  ) {
    super(message);
  }

  get body(): Record<string, unknown> {
    return { message: this.message, ...this.more };
  }
}

/** Something that isn't there. `status` is what Grafana says for folders and dashboards. */
export function notFound(message: string): ApiError {
  return new ApiError(404, message, { status: "not-found" });
}
