import { setTimeout as sleep } from "node:timers/promises";

/** A series in the result of an instant query. */
export interface Sample {
  metric: Record<string, string>;
  value: [number, string];
}

/** Runs an instant query. */
export async function query(prometheus: string, expr: string): Promise<Sample[]> {
  const response = await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent(expr)}`);
  const { data, error } = (await response.json()) as { data?: { result: Sample[] }; error?: string };
  if (data === undefined) throw new Error(`${expr}: ${error}`);
  return data.result;
}

/**
 * Repeats `ask` until `isRight` accepts its result, and returns the result. @throws the last error, or Error with the
 * last result, after `timeoutMs`
 */
export async function eventually<T>(
  ask: () => Promise<T>,
  isRight: (answer: T) => boolean,
  timeoutMs = 90_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask().catch((error: unknown) =>
      error instanceof Error ? error : new Error(String(error)),
    );
    if (!(answer instanceof Error) && isRight(answer)) return answer;
    if (Date.now() > deadline) {
      throw answer instanceof Error
        ? answer
        : new Error(`still ${JSON.stringify(answer)} after ${timeoutMs / 1000} s`);
    }
    await sleep(500);
  }
}
