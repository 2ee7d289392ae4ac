import { reason } from "../../lib/reason.ts";

/** A client of Prometheus's HTTP API. */
export interface Prometheus {
  /** URL without a password. */
  readonly url: string;
  /** Runs an instant query at a Unix time in seconds. */
  query(expr: string, at: number): Promise<InstantResult[]>;
  /** Runs a range query from `from` to `until`; times and `step` in seconds. */
  queryRange(expr: string, from: number, until: number, step: number): Promise<RangeResult[]>;
}

/** A series of an instant query, with its value as text. */
export interface InstantResult {
  metric: Record<string, string>;
  value: [at: number, value: string];
}

/** A series of a range query. */
export interface RangeResult {
  metric: Record<string, string>;
  values: [at: number, value: string][];
}

interface Reply {
  status: string;
  error?: string;
  data: { result: unknown };
}

/** Timeout of a query in milliseconds. Prometheus aborts queries after two minutes. */
const TIMEOUT_MS = 150_000;

/**
 * Returns a client for a URL. Credentials in the URL are sent as a header, because `fetch` rejects a URL with
 * credentials. No message contains them.
 *
 * @throws Error for an invalid URL, without repeating it because it may contain a password
 */
export function openPrometheus(address: string): Prometheus {
  const base = URL.canParse(address) ? new URL(address) : undefined;
  if (base === undefined || !/^https?:$/.test(base.protocol)) {
    throw new Error("Prometheus's address must be a URL like http://127.0.0.1:9090");
  }
  const headers = authorization(base);
  const url = `${base.origin}${base.pathname.replace(/\/+$/, "")}`;
  const run = async (path: string, parameters: Record<string, string | number>): Promise<unknown> => {
    const search = new URLSearchParams(
      Object.entries(parameters).map(([key, value]) => [key, String(value)]),
    );
    const response = await get(`${url}/api/v1/${path}?${search.toString()}`, url, headers);
    return result(url, response.status, await response.text());
  };
  return {
    url,
    query: async (query, time) => (await run("query", { query, time })) as InstantResult[],
    queryRange: async (query, start, end, step) =>
      (await run("query_range", { query, start, end, step })) as RangeResult[],
  };
}

function authorization({ username, password }: URL): Record<string, string> {
  if (username === "" && password === "") return {};
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { Authorization: `Basic ${Buffer.from(credentials).toString("base64")}` };
}

async function get(address: string, url: string, headers: Record<string, string>): Promise<Response> {
  try {
    return await fetch(address, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    throw new Error(`${url} does not respond: ${reason(error)}`, { cause: error });
  }
}

/**
 * Returns the result in a response.
 *
 * @throws Error with Prometheus's message, or with the first line of a response that isn't Prometheus's
 */
function result(url: string, status: number, text: string): unknown {
  const reply = parsed(text);
  if (reply?.status === "success") return reply.data.result;
  const words = reply?.error ?? text.trim().split("\n")[0] ?? "";
  throw new Error(`${url} returned ${status}: ${words === "" ? "empty response" : words}`);
}

function parsed(text: string): Reply | undefined {
  try {
    return JSON.parse(text) as Reply;
  } catch {
    return undefined;
  }
}

/** Parses a sample value of Prometheus, which spells infinity differently from JavaScript. */
export function numberOf(text: string): number {
  return Number(text.replace("Inf", "Infinity"));
}
