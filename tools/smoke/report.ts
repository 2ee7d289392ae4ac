import { reason } from "../../lib/reason.ts";

/** Prints one line per step and records failures. */
export class Report {
  private failed = 0;

  constructor(private readonly print: (line: string) => void) {}

  /** Number of steps that failed. */
  get failures(): number {
    return this.failed;
  }

  /**
   * Runs a step and prints its result.
   *
   * @param where name of the component, which is printed with the error if the step fails
   * @param what description of the step
   * @returns the result of `work`, or undefined if it failed
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
