import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { finished } from "node:stream/promises";
import { ExecaError, execa } from "execa";
import { z } from "zod";
import { OLDEST_GO } from "./tools.ts";

/** An error for the user: its message says what is wrong and what to do. */
export class ToolchainError extends Error {
  override name = "ToolchainError";
}

const goEnv = z.object({ GOVERSION: z.string(), GOOS: z.string(), GOARCH: z.string() });

/** The parts of Go's environment that determine a build's result. */
export type Go = z.infer<typeof goEnv>;

/** Reports whether a version such as "go1.26.8" or "go1.27rc1" is at least `oldest`. */
export function isNewEnough(version: string, oldest: string): boolean {
  const parse = (text: string): number[] => (/\d+(\.\d+)*/.exec(text)?.[0] ?? "0").split(".").map(Number);
  const have = parse(version);
  const want = parse(oldest);
  for (let i = 0; i < want.length; i++) {
    const difference = (have[i] ?? 0) - (want[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/**
 * Returns the installed Go.
 *
 * @throws ToolchainError when Go is missing or too old
 */
export async function findGo(): Promise<Go> {
  const result = await execa("go", ["env", "-json", "GOVERSION", "GOOS", "GOARCH"], { reject: false });
  if (result.code === "ENOENT") {
    throw new ToolchainError(
      `Go is not installed: install Go ${OLDEST_GO} or newer (https://go.dev/doc/install) and add it to PATH.`,
    );
  }
  if (result.failed) throw new ToolchainError(`"go env" fails: ${result.stderr}`);
  const go = goEnv.parse(JSON.parse(result.stdout));
  if (!isNewEnough(go.GOVERSION, OLDEST_GO)) {
    throw new ToolchainError(
      `${go.GOVERSION} is too old: install Go ${OLDEST_GO} or newer (https://go.dev/doc/install).`,
    );
  }
  return go;
}

/** Options of {@link run}: working directory, log file, and a callback for each line of output. */
export interface RunOptions {
  cwd: string;
  log: string;
  onLine?: (line: string) => void;
}

/** Runs a command of a build, appends its output to the log and returns its standard output. */
export async function run(command: string, args: string[], options: RunOptions): Promise<string> {
  await mkdir(dirname(options.log), { recursive: true });
  const log = createWriteStream(options.log, { flags: "a" });
  // Ignores write errors of the log. On a full disk, for example, the command fails as well, and its error is thrown
  // below.
  log.on("error", () => undefined);
  log.write(`$ ${command} ${args.join(" ")}\n`);
  const child = execa(command, args, {
    cwd: options.cwd,
    // The user's GOFLAGS and go.work must not influence the build. GOGC applies to the compiler: with fewer
    // garbage collections it needs 13 % less CPU time and more memory.
    env: {
      CGO_ENABLED: "0",
      GOFLAGS: "",
      GOWORK: "off",
      GOGC: "400",
    },
    all: true,
    stdin: "ignore",
  });
  child.all.on("data", (chunk: Buffer) => {
    log.write(chunk);
    for (const line of chunk.toString().split("\n")) if (line !== "") options.onLine?.(line);
  });
  try {
    const { stdout } = await child;
    return stdout;
  } catch (error) {
    if (error instanceof ExecaError && error.exitCode === undefined) log.write(`${error.shortMessage}\n`);
    throw error;
  } finally {
    log.end();
    await finished(log).catch(() => undefined);
  }
}
