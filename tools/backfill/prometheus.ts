import { reason } from "../reason.ts";

/** A Prometheus whose queries are asked over HTTP. */
export interface Prometheus {
  /** Its address, without a password. */
  readonly url: string;
  /** Asks for the values at one moment, in seconds. */
  query(expr: string, at: number): Promise<Answer[]>;
  /** Asks for the values at `from`, and every `step` seconds after it until `until`. */
  queryRange(expr: string, from: number, until: number, step: number): Promise<RangeAnswer[]>;
}

/** A series at one moment: its value, as text. */
export interface Answer {
  metric: Record<string, string>;
  value: [at: number, value: string];
}

/** A series over time. */
export interface RangeAnswer {
  metric: Record<string, string>;
  values: [at: number, value: string][];
}

interface Reply {
  status: string;
  error?: string;
  data: { result: unknown };
}

/** Prometheus itself ends a query after two minutes. */
const PATIENCE_MS = 150_000;

/**
 * Opens a Prometheus by its address, which may hold a user and a password: they are sent as a header, since
 * fetch refuses such an address, and are in no message.
 *
 * @throws Error when it is no address; it doesn't repeat what could hold a password
 */
export function openPrometheus(address: string): Prometheus {
  const base = URL.canParse(address) ? new URL(address) : undefined;
  if (base === undefined || !/^https?:$/.test(base.protocol)) {
    throw new Error("Prometheus's address has to be like http://127.0.0.1:9090");
  }
  const headers = authorization(base);
  const url = `${base.origin}${base.pathname.replace(/\/+$/, "")}`;
  const ask = async (path: string, parameters: Record<string, string | number>): Promise<unknown> => {
    const search = new URLSearchParams(
      Object.entries(parameters).map(([key, value]) => [key, String(value)]),
    );
    const response = await get(`${url}/api/v1/${path}?${search.toString()}`, url, headers);
    return result(url, response.status, await response.text());
  };
  return {
    url,
    query: async (query, time) => (await ask("query", { query, time })) as Answer[],
    queryRange: async (query, start, end, step) =>
      (await ask("query_range", { query, start, end, step })) as RangeAnswer[],
  };
}

function authorization({ username, password }: URL): Record<string, string> {
  if (username === "" && password === "") return {};
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { Authorization: `Basic ${Buffer.from(credentials).toString("base64")}` };
}

async function get(address: string, url: string, headers: Record<string, string>): Promise<Response> {
  try {
    return await fetch(address, { headers, signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch (error) {
    throw new Error(`${url} does not answer: ${reason(error)}`, { cause: error });
  }
}

/** What an answer holds. @throws Error with Prometheus's own words, or the first line of what isn't Prometheus's */
function result(url: string, status: number, text: string): unknown {
  const reply = parsed(text);
  if (reply?.status === "success") return reply.data.result;
  const words = reply?.error ?? text.trim().split("\n")[0] ?? "";
  throw new Error(`${url} answered ${status}: ${words === "" ? "nothing" : words}`);
}

function parsed(text: string): Reply | undefined {
  try {
    return JSON.parse(text) as Reply;
  } catch {
    return undefined;
  }
}

/** A value as Prometheus writes it; JavaScript has another word for infinity. */
export function numberOf(text: string): number {
  return Number(text.replace("Inf", "Infinity"));
}
