import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Requests per file, the first one included. */
const MAX_ATTEMPTS = 5;
/** Timeout of one request in ms. */
const REQUEST_TIMEOUT_MS = 60_000;
/** First pause between requests in ms; it doubles with each. */
const FIRST_PAUSE_MS = 1_000;
/** Longest pause in ms, also when a server asks for more: then the attempt is the last. */
const MAX_PAUSE_MS = 60_000;
/** Statuses that may be others later: time-outs, rate limits, and servers that are overloaded or restarted. */
const TRANSIENT = [408, 425, 429, 500, 502, 503, 504];

/** A response that says when to come back, if ever. */
class RefusedError extends Error {
  /** Pause that the server asks for in ms; undefined when it doesn't say. */
  readonly pauseMs: number | undefined;
  readonly isTransient: boolean;

  constructor(message: string, pauseMs: number | undefined, isTransient: boolean) {
    super(message);
    this.pauseMs = pauseMs;
    this.isTransient = isTransient;
  }
}

/**
 * Downloads a file of a known content, once per machine: it is kept under its checksum, outside the checkout, so that
 * later previews ask nobody. Retries errors that pass, after the pause that `Retry-After` asks for. Honors HTTPS_PROXY,
 * HTTP_PROXY and NO_PROXY.
 *
 * @param url - an https:// URL
 * @param sha256 - the checksum that the content has to have, in hex
 * @returns the content; its checksum may be another one, and then it isn't kept
 * @throws Error with the last response, and how often it was tried
 */
export async function download(url: string, sha256: string): Promise<Buffer> {
  const kept = join(cacheDir(), sha256);
  const known = await readFile(kept).catch(() => undefined);
  if (known !== undefined && checksum(known) === sha256) return known;
  const content = await withRetries(() => request(url));
  if (checksum(content) === sha256) await keep(kept, content);
  return content;
}

/** Checksum of a file's content, in hex. */
export function checksum(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Folder of the cache, as the XDG Base Directory Specification places it. */
function cacheDir(): string {
  const base = process.env.XDG_CACHE_HOME ?? "";
  return join(base === "" ? join(homedir(), ".cache") : base, "k8sfv-metrics", "downloads");
}

/** Keeps the content under its final name only when it is whole. A cache that can't be written is no error. */
async function keep(file: string, content: Buffer): Promise<void> {
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
  // Loaded only when something has to be downloaded. The global fetch of Node 20 knows no proxies.
  const { Agent, EnvHttpProxyAgent, fetch } = await import("undici");
  const dispatcher = isProxied() ? new EnvHttpProxyAgent() : new Agent();
  try {
    const response = await fetch(url, { dispatcher, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    if (response.ok) return Buffer.from(await response.arrayBuffer());
    const isTransient = TRANSIENT.includes(response.status);
    const pauseMs = retryAfter(response.headers.get("retry-after"));
    throw new RefusedError(
      `the server answered ${response.status} ${response.statusText}`.trim(),
      pauseMs,
      isTransient,
    );
  } finally {
    // Idle connections would keep the program running.
    await dispatcher.destroy();
  }
}

/** Whether the environment names a proxy. */
function isProxied(): boolean {
  const names = ["HTTPS_PROXY", "HTTP_PROXY"].flatMap((name) => [name, name.toLowerCase()]);
  return names.some((name) => (process.env[name] ?? "") !== "");
}

async function withRetries<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const asked = error instanceof RefusedError ? error.pauseMs : undefined;
      const pauseMs = asked ?? FIRST_PAUSE_MS * 2 ** (attempt - 1);
      const isFinal = error instanceof RefusedError && !error.isTransient;
      if (isFinal || attempt === MAX_ATTEMPTS || pauseMs > MAX_PAUSE_MS)
        throw explained(error, attempt, asked);
      await sleep(pauseMs);
    }
  }
}

function explained(error: unknown, attempts: number, askedMs: number | undefined): Error {
  const tried = attempts === 1 ? "" : `, after ${attempts} attempts`;
  const later = askedMs === undefined ? "" : `; try again in ${Math.ceil(askedMs / 1000)} s`;
  return new Error(`${reasonOf(error)}${tried}${later}`, { cause: error });
}

/** The reason of an error; fetch itself says "fetch failed" and names the reason as its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

/** The pause of a Retry-After header in ms: seconds, or a date. */
function retryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
