import { setTimeout as sleep } from "node:timers/promises";
import { query } from "./prometheus.ts";

const PUSH_TIMEOUT_MS = 60_000;

/** Result of pushes to a Pushgateway. */
export interface Pushes {
  /** Number of pushes by the status of their response. Status 0 stands for pushes without a response. */
  answers: Map<number, number>;
  /** Last accepted value of each group, by its `instance`. */
  accepted: Map<string, number>;
  /** Maximum duration of a push in ms. */
  slowestMs: number;
}

/**
 * Pushes until `isOver` returns true, with concurrent clients. Each client has its own group, which each push
 * overwrites with a higher value. Rejected pushes are counted and not retried.
 *
 * @param options.apart - whether each push goes to a new group instead, so that no push overwrites another
 * @param options.pauseMs - pause between a client's pushes in ms
 * @param options.timeoutMs - timeout of a push in ms; a timeout counts as status 0
 */
export async function pushUntil(
  url: string,
  clients: number,
  isOver: () => boolean,
  { apart = false, pauseMs = 0, timeoutMs = PUSH_TIMEOUT_MS } = {},
): Promise<Pushes> {
  const pushes: Pushes = { answers: new Map(), accepted: new Map(), slowestMs: 0 };
  const client = async (name: string): Promise<void> => {
    for (let value = 1; !isOver(); value += 1) {
      const started = Date.now();
      const instance = apart ? `${name}-${value}` : name;
      const status = await push(url, instance, value, timeoutMs);
      pushes.slowestMs = Math.max(pushes.slowestMs, Date.now() - started);
      pushes.answers.set(status, (pushes.answers.get(status) ?? 0) + 1);
      const accepted = status >= 200 && status < 300;
      if (accepted) pushes.accepted.set(instance, value);
      const pause = accepted ? pauseMs : Math.max(pauseMs, 50);
      if (pause > 0) await sleep(pause);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, at) => client(`client-${at}`)));
  return pushes;
}

/**
 * Pushes a value to the group with the job `pushes` and the given instance. @returns the status, or 0 without a
 * response
 */
export async function push(
  url: string,
  instance: string,
  value: number,
  timeoutMs = PUSH_TIMEOUT_MS,
): Promise<number> {
  try {
    const { base, headers } = split(url);
    const response = await fetch(`${base}/metrics/job/pushes/instance/${instance}`, {
      method: "PUT",
      headers: { ...headers, "Content-Type": "text/plain" },
      body: `# TYPE pushed_value gauge\npushed_value ${value}\n`,
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}

/** Splits a URL into a URL without user and password, and headers that contain them, like Go's HTTP client. */
export function split(url: string): { base: string; headers: Record<string, string> } {
  const { origin, username, password } = new URL(url);
  if (username === "") return { base: origin, headers: {} };
  const credentials = Buffer.from(`${username}:${password}`).toString("base64");
  return { base: origin, headers: { Authorization: `Basic ${credentials}` } };
}

/** Returns a line for each group that has neither its last accepted value nor a later one. */
export function lost({ accepted }: Pushes, there: Map<string, number>): string[] {
  return [...accepted]
    .filter(([instance, value]) => (there.get(instance) ?? -1) < value)
    .map(([instance, value]) => `${instance}: ${value} was accepted, ${there.get(instance)} is there`);
}

/** Returns the pushed values in a Pushgateway by instance. */
export async function held(url: string): Promise<Map<string, number>> {
  const { base, headers } = split(url);
  const text = await (await fetch(`${base}/metrics`, { headers })).text();
  const found = text.matchAll(/^pushed_value\{.*instance="([^"]+)".*\} (\S+)$/gm);
  return new Map([...found].map(([, instance = "", value]) => [instance, Number(value)]));
}

/** Returns the pushed values in Prometheus by instance. @throws Error if an instance has two series */
export async function scraped(prometheus: string): Promise<Map<string, number>> {
  const samples = await query(prometheus, "pushed_value");
  const found = new Map(samples.map(({ metric, value }) => [metric.instance ?? "", Number(value[1])]));
  if (found.size !== samples.length) throw new Error(`two series: ${JSON.stringify(samples)}`);
  return found;
}
