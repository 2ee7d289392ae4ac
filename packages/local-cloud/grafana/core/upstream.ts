import type { DataSource } from "./data-sources.ts";
import { ApiError } from "./errors.ts";

/** Timeout of requests to data sources in ms, as Grafana's default. */
const TIMEOUT_MS = 30_000;

/**
 * Sends a request to a data source, with its configured credentials.
 *
 * @param path path below the data source's URL, with the query string
 * @throws ApiError 400 if the data source has no URL, 502 if it doesn't respond
 */
export async function upstreamFetch(
  source: DataSource,
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  if (!URL.canParse(source.url)) {
    throw new ApiError(400, `The data source ${source.name} has an invalid URL: "${source.url}"`);
  }
  const headers = new Headers(init.headers);
  for (const [name, value] of Object.entries(credentialsOf(source))) headers.set(name, value);
  const url = `${source.url.replace(/\/+$/, "")}${path}`;
  try {
    return await fetch(url, {
      ...init,
      headers,
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    const { cause, message } = error as Error & { cause?: unknown };
    const why = cause instanceof Error && cause.message !== "" ? cause.message : message;
    throw new ApiError(502, `The data source ${source.name} does not respond at ${source.url}: ${why}`);
  }
}

/** Returns the headers for basic authentication, and those in `httpHeaderName1`, `httpHeaderValue1` and so on. */
function credentialsOf({ basicAuth, basicAuthUser, jsonData, secrets }: DataSource): Record<string, string> {
  const headers: Record<string, string> = {};
  if (basicAuth) {
    const credentials = `${basicAuthUser}:${secrets.basicAuthPassword ?? ""}`;
    headers.Authorization = `Basic ${Buffer.from(credentials).toString("base64")}`;
  }
  for (const [key, name] of Object.entries(jsonData)) {
    const value = secrets[key.replace("httpHeaderName", "httpHeaderValue")];
    if (/^httpHeaderName\d+$/.test(key) && typeof name === "string" && value !== undefined)
      headers[name] = value;
  }
  return headers;
}
