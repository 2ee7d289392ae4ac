import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { finished } from "node:stream/promises";
import { ExecaError, execa } from "execa";
import { z } from "zod";
import { OLDEST_GO } from "./tools.ts";

/** An error whose message is meant for a person: what is wrong and what to do. */
export class ToolchainError extends Error {
  override name = "ToolchainError";
}

const goEnv = z.object({ GOVERSION: z.string(), GOOS: z.string(), GOARCH: z.string() });

/** The Go that builds, as far as it decides what comes out. */
export type Go = z.infer<typeof goEnv>;

/** True when a version such as "go1.26.8" or "go1.27rc1" is at least `oldest`. */
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

/** Finds Go and refuses one that is missing or too old. */
export async function findGo(): Promise<Go> {
  const result = await execa("go", ["env", "-json", "GOVERSION", "GOOS", "GOARCH"], { reject: false });
  if (result.code === "ENOENT") {
    throw new ToolchainError(
      `Go is not installed: install Go ${OLDEST_GO} or newer (https://go.dev/doc/install) and see that "go" is on PATH.`,
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

/** A command's log and where its lines are also reported. */
export interface RunOptions {
  cwd: string;
  log: string;
  onLine?: (line: string) => void;
}

/** Runs a command of a build; everything it prints is appended to the log. Gives back its standard output. */
export async function run(command: string, args: string[], options: RunOptions): Promise<string> {
  await mkdir(dirname(options.log), { recursive: true });
  const log = createWriteStream(options.log, { flags: "a" });
  // On a full disk the log is the first to suffer; the error thrown below tells the same.
  log.on("error", () => undefined);
  log.write(`$ ${command} ${args.join(" ")}\n`);
  const child = execa(command, args, {
    cwd: options.cwd,
    // The person's GOFLAGS and go.work must not decide what is built. GOGC is the compiler's own: collecting
    // less often takes 13 % off its work, and only memory more.
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
