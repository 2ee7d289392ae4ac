import { setTimeout as sleep } from "node:timers/promises";
import { query } from "./prometheus.ts";

const PUSH_TIMEOUT_MS = 60_000;

/** What was sent to a push gateway, and what it answered. */
export interface Pushes {
  /** How many were answered with a status; 0 stands for no answer. */
  answers: Map<number, number>;
  /** Of each group, by its `instance`: the last value that was answered with 2xx. */
  accepted: Map<string, number>;
  /** The longest that a push took, in ms. */
  slowestMs: number;
}

/**
 * Pushes until `isOver`: so many clients side by side, each a group of its own, a number that grows with each
 * push. A push that is refused is counted and the next one made, as other jobs would.
 *
 * @param options.apart - each push is a group of its own, so that all of them are kept
 * @param options.pauseMs - between a client's pushes
 * @param options.timeoutMs - of a push; the client counts status 0 then
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

/** Pushes one number as the group of job `pushes` and this instance; 0 when there is no answer. */
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

/** A URL without the user and password in it, and the header that says them: what a client in Go makes of it. */
export function split(url: string): { base: string; headers: Record<string, string> } {
  const { origin, username, password } = new URL(url);
  if (username === "") return { base: origin, headers: {} };
  const credentials = Buffer.from(`${username}:${password}`).toString("base64");
  return { base: origin, headers: { Authorization: `Basic ${credentials}` } };
}

/** Groups whose last accepted value is not there any more: neither it nor a later one. */
export function lost({ accepted }: Pushes, there: Map<string, number>): string[] {
  return [...accepted]
    .filter(([instance, value]) => (there.get(instance) ?? -1) < value)
    .map(([instance, value]) => `${instance}: ${value} was accepted, ${there.get(instance)} is there`);
}

/** What a push gateway has of the pushes, by instance. */
export async function held(url: string): Promise<Map<string, number>> {
  const { base, headers } = split(url);
  const text = await (await fetch(`${base}/metrics`, { headers })).text();
  const found = text.matchAll(/^pushed_value\{.*instance="([^"]+)".*\} (\S+)$/gm);
  return new Map([...found].map(([, instance = "", value]) => [instance, Number(value)]));
}

/** What Prometheus answers for the pushes now, by instance. @throws Error when one of them has two series */
export async function scraped(prometheus: string): Promise<Map<string, number>> {
  const samples = await query(prometheus, "pushed_value");
  const found = new Map(samples.map(({ metric, value }) => [metric.instance ?? "", Number(value[1])]));
  if (found.size !== samples.length) throw new Error(`two series: ${JSON.stringify(samples)}`);
  return found;
}
