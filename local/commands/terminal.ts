import { constants } from "node:os";
import { execa, ExecaError } from "execa";

/** The cloud that a command works on: K8SFV_CLOUD, or `local`. */
export function cloudName(): string {
  return process.env.K8SFV_CLOUD ?? "local";
}

/** Says on standard error what is being done and, with `work`, how long it took. */
export function step(title: string): void;
export function step<T>(title: string, work: () => Promise<T>): Promise<T>;
export function step<T>(title: string, work?: () => Promise<T>): Promise<T> | undefined {
  if (work === undefined) {
    console.error(`• ${title}`);
    return undefined;
  }
  const started = Date.now();
  console.error(`• ${title} …`);
  return work().then((result) => {
    console.error(`  done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
    return result;
  });
}

/**
 * Lets the engine end by itself after Ctrl-C, which its terminal sends to it too: it finishes what it has begun
 * and writes its state down. Cut off, it would not.
 *
 * @param work - is told whether Ctrl-C came
 */
export async function untilItEnds<T>(work: (stopped: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const onStop = (): void => {
    console.error("\nStopping, once what has begun is done …");
    stop.abort();
  };
  // Not once(): execa ends its child, and this process, when nobody else listens any more.
  process.on("SIGINT", onStop);
  try {
    return await work(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    throw new Error("Stopped. npm start goes on from here; npm stop removes everything.", { cause: error });
  } finally {
    process.off("SIGINT", onStop);
  }
}

/**
 * Runs a program in this terminal. Ctrl-C is for the program alone, which its terminal sends it to: the engine saves
 * what it has begun at the first one, and is cut off by a second.
 *
 * @returns its status as a shell gives it, undefined when it can't be started
 */
export async function runInTerminal(
  file: string,
  args: string[],
  env: Record<string, string>,
): Promise<number | undefined> {
  // execa would end the program when nobody else listens.
  process.on("SIGINT", () => undefined);
  const { exitCode, signal } = await execa(file, args, { stdio: "inherit", env, reject: false });
  return exitCode ?? (signal && 128 + constants.signals[signal]);
}

/** Runs a command's work; an error is told without a stack, and becomes status 1. */
export async function runCommand(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    console.error(`\nError: ${describe(error)}`);
    process.exitCode = 1;
  }
}

function describe(error: unknown): string {
  if (error instanceof ExecaError) {
    const unseen = [error.stdout, error.stderr].filter((text) => typeof text === "string" && text !== "");
    return [error.shortMessage, ...unseen.map((text) => lastLines(String(text)))].join("\n");
  }
  return error instanceof Error ? error.message : String(error);
}

/** The end of what a program said: it tells why it failed. */
function lastLines(text: string): string {
  return text.split("\n").slice(-40).join("\n");
}
