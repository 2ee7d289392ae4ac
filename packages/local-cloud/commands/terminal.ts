import { constants } from "node:os";
import { execa, ExecaError } from "execa";

/** Name of the local cloud that commands work on: K8SFV_CLOUD, default `local`. */
export function cloudName(): string {
  return process.env.K8SFV_CLOUD ?? "local";
}

/** Prints a step on standard error and, with `work`, its duration. */
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
 * Runs the engine so that it can exit by itself after Ctrl-C. The terminal sends Ctrl-C to the engine too, which then
 * finishes the operations in progress and saves its state. Killing the engine would lose that state.
 *
 * @param work called with a signal that is aborted on Ctrl-C
 */
export async function withGracefulStop<T>(work: (stopped: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const onStop = (): void => {
    console.error("\nStopping after the operations in progress …");
    stop.abort();
  };
  // Unlike `once`, `on` keeps the listener, so a second Ctrl-C is ignored too. Without a listener, Ctrl-C would end
  // this process, and execa would kill the engine with it.
  process.on("SIGINT", onStop);
  try {
    return await work(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    throw new Error('Stopped. "npm start" continues from here; "npm stop" removes everything.', {
      cause: error,
    });
  } finally {
    process.off("SIGINT", onStop);
  }
}

/**
 * Runs a program in this terminal. On Ctrl-C the terminal interrupts both this process and the program. This process
 * ignores it, so that the program can end by itself: Pulumi's engine, for example, first saves its state.
 *
 * @returns the exit status as a shell reports it, or undefined if the program can't be started
 */
export async function runInTerminal(
  file: string,
  args: string[],
  env: Record<string, string>,
): Promise<number | undefined> {
  // Without a listener for SIGINT, Ctrl-C would end this process, and execa would kill the program with it.
  process.on("SIGINT", () => undefined);
  const { exitCode, signal } = await execa(file, args, { stdio: "inherit", env, reject: false });
  return exitCode ?? (signal && 128 + constants.signals[signal]);
}

/** Runs a command's work. Prints an error without its stack and sets exit status 1. */
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

/** Returns the last lines of a program's output, which usually contain the reason of a failure. */
function lastLines(text: string): string {
  return text.split("\n").slice(-40).join("\n");
}
