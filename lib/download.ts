import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Maximum requests for each file, including the first one. */
const MAX_ATTEMPTS = 5;
/** Timeout of one request in ms. */
const REQUEST_TIMEOUT_MS = 60_000;
/** First pause between requests in ms. The pause doubles with each request. */
const FIRST_PAUSE_MS = 1_000;
/** Maximum pause in ms. If the server asks for a longer pause, there is no further request. */
const MAX_PAUSE_MS = 60_000;
/** Statuses of transient errors: timeouts, rate limits, and overloaded or restarting servers. */
const TRANSIENT = [408, 425, 429, 500, 502, 503, 504];

/** An error response of the server. */
class RefusedError extends Error {
  /** Pause in ms from the header `Retry-After`; undefined without the header. */
  readonly pauseMs: number | undefined;
  readonly isTransient: boolean;

  constructor(message: string, pauseMs: number | undefined, isTransient: boolean) {
    super(message);
    this.pauseMs = pauseMs;
    this.isTransient = isTransient;
  }
}

/**
 * Downloads a file of known content once per computer. The file is cached under its checksum, outside the checkout, so
 * later previews send no requests. Retries transient errors and respects `Retry-After`. Honors HTTPS_PROXY, HTTP_PROXY
 * and NO_PROXY.
 *
 * @param url - an https:// URL
 * @param sha256 - the expected checksum in hex
 * @returns the content, which is not cached if its checksum differs; the caller must compare the checksums
 * @throws Error with the last response and the number of attempts
 */
export async function download(url: string, sha256: string): Promise<Buffer> {
  const file = join(cacheDir(), sha256);
  const cached = await readFile(file).catch(() => undefined);
  if (cached !== undefined && checksum(cached) === sha256) return cached;
  const content = await withRetries(() => request(url));
  if (checksum(content) === sha256) await writeCache(file, content);
  return content;
}

/** Returns the SHA-256 checksum in hex. */
export function checksum(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Returns the cache directory (XDG Base Directory Specification). */
function cacheDir(): string {
  const base = process.env.XDG_CACHE_HOME ?? "";
  return join(base === "" ? join(homedir(), ".cache") : base, "k8sfv-metrics", "downloads");
}

/** Writes a cache file atomically. Ignores errors, because the cache is optional. */
async function writeCache(file: string, content: Buffer): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  try {
    await mkdir(cacheDir(), { recursive: true });
    await writeFile(draft, content);
    await rename(draft, file);
  } catch {
    await rm(draft, { force: true }).catch(() => undefined);
  }
}

async function request(url: string): Promise<Buffer> {
  // Imported here because most runs download nothing. The global fetch of Node 20 does not support proxies.
  const { Agent, EnvHttpProxyAgent, fetch } = await import("undici");
  const dispatcher = isProxied() ? new EnvHttpProxyAgent() : new Agent();
  try {
    const response = await fetch(url, { dispatcher, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    if (response.ok) return Buffer.from(await response.arrayBuffer());
    const isTransient = TRANSIENT.includes(response.status);
    const pauseMs = retryAfter(response.headers.get("retry-after"));
    throw new RefusedError(
      `the server responded ${response.status} ${response.statusText}`.trim(),
      pauseMs,
      isTransient,
    );
  } finally {
    // An idle connection would keep the program running.
    await dispatcher.destroy();
  }
}

/** Returns whether the environment configures a proxy. */
function isProxied(): boolean {
  const names = ["HTTPS_PROXY", "HTTP_PROXY"].flatMap((name) => [name, name.toLowerCase()]);
  return names.some((name) => (process.env[name] ?? "") !== "");
}

async function withRetries<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const retryAfterMs = error instanceof RefusedError ? error.pauseMs : undefined;
      const pauseMs = retryAfterMs ?? FIRST_PAUSE_MS * 2 ** (attempt - 1);
      const isFinal = error instanceof RefusedError && !error.isTransient;
      if (isFinal || attempt === MAX_ATTEMPTS || pauseMs > MAX_PAUSE_MS)
        throw downloadError(error, attempt, retryAfterMs);
      await sleep(pauseMs);
    }
  }
}

function downloadError(error: unknown, attempts: number, retryAfterMs: number | undefined): Error {
  const tried = attempts === 1 ? "" : `, after ${attempts} attempts`;
  const later = retryAfterMs === undefined ? "" : `; try again in ${Math.ceil(retryAfterMs / 1000)} s`;
  return new Error(`${reasonOf(error)}${tried}${later}`, { cause: error });
}

/**
 * Returns an error's message. An error of fetch has only the message "fetch failed", so this function adds the message
 * of the error's cause.
 */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

/** Parses a `Retry-After` header, which has seconds or a date, to ms. */
function retryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
