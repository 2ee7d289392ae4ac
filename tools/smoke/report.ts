import { reason } from "../reason.ts";

/** Prints a line a step, and remembers whether all went well. */
export class Report {
  private failed = 0;

  constructor(private readonly print: (line: string) => void) {}

  /** Number of steps that failed. */
  get failures(): number {
    return this.failed;
  }

  /**
   * Runs a step.
   *
   * @param where - which part is broken when it fails
   * @param what - what is done, as people say it
   * @returns what the work gives; undefined when it failed, which is printed
   */
  async step<T>(where: string, what: string, work: () => Promise<T>): Promise<T | undefined> {
    const started = Date.now();
    try {
      const result = await work();
      this.print(`  ok      ${what} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
      return result;
    } catch (error) {
      this.failed += 1;
      this.print(`  FAILED  ${what}`);
      this.print(`          ${where}: ${error instanceof Error ? error.message : reason(error)}`);
      return undefined;
    }
  }
}
