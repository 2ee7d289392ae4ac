const REFRESH_MS = 1_000;
const PLAIN_MS = 30_000;

/** Destination of progress messages, e.g. `process.stderr`. */
export interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

interface Job {
  since: number;
  doing: string;
}

/** Formats a duration: 65000 ms is "1m05s". */
export function elapsed(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  return seconds < 60
    ? `${seconds}s`
    : `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, "0")}s`;
}

/** Reports the progress of builds: one updated line on a terminal, otherwise a line every 30 s. */
export class Progress {
  private readonly start = Date.now();
  private readonly jobs = new Map<string, Job>();
  private done = 0;
  private timer: NodeJS.Timeout | undefined;

  /** @param total number of builds */
  constructor(
    private readonly total: number,
    private readonly output: Output,
  ) {}

  /** Prints a note and starts reporting. */
  begin(note: string): void {
    this.say(note);
    this.timer = setInterval(
      () => {
        this.refresh();
      },
      this.output.isTTY === true ? REFRESH_MS : PLAIN_MS,
    );
    this.timer.unref();
  }

  started(name: string): void {
    this.jobs.set(name, { since: Date.now(), doing: "" });
    if (this.output.isTTY === true) this.refresh();
  }

  /** Evaluates a line of a build's output, to show whether the build is still downloading modules. */
  line(name: string, line: string): void {
    const job = this.jobs.get(name);
    if (job !== undefined) job.doing = line.startsWith("go: downloading ") ? "downloading, " : "";
  }

  finished(name: string, ok: boolean): void {
    const took = elapsed(Date.now() - (this.jobs.get(name)?.since ?? Date.now()));
    this.jobs.delete(name);
    if (ok) this.done++;
    this.say(
      ok
        ? `toolchain: ${this.done} of ${this.total}: ${name} built in ${took}`
        : `toolchain: ${name} FAILED after ${took}`,
    );
  }

  end(): void {
    clearInterval(this.timer);
    if (this.output.isTTY === true) this.output.write("\r\x1b[K");
  }

  /** Returns the current status line. */
  status(now = Date.now()): string {
    const jobs = [...this.jobs].map(([name, job]) => `${name} (${job.doing}${elapsed(now - job.since)})`);
    return `toolchain: ${this.done} of ${this.total} built, ${elapsed(now - this.start)}: building ${jobs.join(", ")}`;
  }

  private say(text: string): void {
    this.output.write(this.output.isTTY === true ? `\r\x1b[K${text}\n` : `${text}\n`);
  }

  private refresh(): void {
    if (this.jobs.size === 0) return;
    if (this.output.isTTY === true)
      this.output.write(`\r\x1b[K${this.status().slice(0, (this.output.columns ?? 80) - 1)}`);
    else this.output.write(`${this.status()}\n`);
  }
}
